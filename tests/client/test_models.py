"""Models as their coordinator leads them, and as everybody finds them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dtledger.client import Client
from dtledger.client.uses import NamedModel
from dtledger.encoding import CID
from dtledger.errors import CannotCheckError, DtledgerError, InputError, IntegrityError
from dtledger.ledger import Call, Receipt, Sender, Update, calls
from dtledger.ledger.calls import Contribution
from dtledger.ledger.rejections.models import (
    EmptyRoundError,
    InvalidModelTermsError,
    NotAMemberError,
    NotCoordinatorError,
    NotOfKindError,
    RoundFinalisedError,
    RoundStillOpenError,
    StaleUpdatesError,
    SuspendedError,
)
from dtledger.models import consents
from dtledger.models.card import ModelCard
from dtledger.models.update import AggregateRecord, UpdateRecord, digest_of
from dtledger.types import Digest
from dtledger.vocabulary import Kind, Purpose
from tests.models.scene import AGGREGATE, START, Scene

pytestmark = pytest.mark.slow

CARD = ModelCard("cgm-forecast", "glucose an hour ahead")


def updates(scene: Scene, number: int = 1) -> list[Update]:
    return scene.world.ledger.view().updates(scene.model.model.number, number)


class TestAModel:
    def test_is_registered_with_its_terms_and_found_by_name_and_number(self, scene: Scene) -> None:
        models = scene.coordinator.models
        named, _ = models.register(ModelCard("sleep"), Purpose.PUBHLTH, ["sleep", "glucose"], 20, 500)
        model = named.model
        assert (model.number, model.coordinator, model.purpose) == (2, scene.coordinator.address, Purpose.PUBHLTH)
        assert (model.categories, model.minimum_cohort, model.budget) == (1 << 11 | 1 << 0, 20, 500)
        for which in ("sleep", "2", 2):
            assert scene.auditor.models.find(which) == named
        assert scene.auditor.models.list() == [scene.model, named]

    def test_that_is_not_there_is_said_so_with_those_that_are(self, scene: Scene) -> None:
        for which in ("sleep", "7", 7, "", "²"):
            with pytest.raises(InputError, match="no model") as caught:
                scene.auditor.models.find(which)
            assert "cgm-forecast" in caught.value.hint

    def test_has_a_name_of_its_own_among_its_coordinators(self, scene: Scene) -> None:
        with pytest.raises(InputError, match="already"):
            scene.coordinator.models.register(CARD, Purpose.HRESCH, ["glucose"], 1, 1)
        other = scene.world.join("other", [Kind.COORDINATOR])
        second, _ = other.models.register(CARD, Purpose.HRESCH, ["glucose"], 1, 1)
        with pytest.raises(InputError, match="Several") as caught:
            scene.auditor.models.find("cgm-forecast")
        assert f"1 (of {scene.coordinator.address}), 2 (of {other.address})" in caught.value.hint
        assert scene.auditor.models.find(2) == second

    def test_is_nameless_if_its_card_is_missing_damaged_or_anothers(self, scene: Scene) -> None:
        models, store = scene.auditor.models, scene.world.store
        forged = store.put(CARD.sign(scene.world.ledger.deployment, scene.auditor.context.key), "dag-cbor")
        scene.world.ledger.send(calls.register_model(8, 1, 1, 1, forged.digest), scene.coordinator.context.key)
        scene.world.ledger.send(calls.register_model(8, 1, 1, 1, START), scene.coordinator.context.key)
        store.damage(CID(scene.model.model.card))
        assert [(each.name, each.card) for each in models.list()] == [
            ("model 1", None), ("model 2", None), ("model 3", None),
        ]  # fmt: skip
        assert models.find(1) == NamedModel(scene.model.model, None)
        with pytest.raises(InputError):
            models.find("cgm-forecast")

    def test_is_a_coordinators_with_terms_that_make_sense(self, scene: Scene) -> None:
        register = scene.coordinator.models.register
        with pytest.raises(NotOfKindError):
            scene.auditor.models.register(CARD, Purpose.HRESCH, ["glucose"], 1, 1)
        with pytest.raises(InputError, match="unknown category"):
            register(ModelCard("x"), Purpose.HRESCH, ["gluten"], 1, 1)
        for categories, cohort, budget in (([], 1, 1), (["glucose"], 0, 1), (["glucose"], 1, 0)):
            with pytest.raises(InvalidModelTermsError):
                register(ModelCard("x"), Purpose.HRESCH, categories, cohort, budget)
        scene.world.operator.members.suspend(scene.coordinator.address)
        with pytest.raises(SuspendedError):
            register(ModelCard("x"), Purpose.HRESCH, ["glucose"], 1, 1)
        other = scene.world.join("other", [Kind.COORDINATOR])
        other.models.register(ModelCard("x"), Purpose.HRESCH, ["glucose"], 1, 1)

    def test_is_not_named_as_if_by_a_number(self, scene: Scene) -> None:
        for name in ("2", "0", "1234567890"):
            with pytest.raises(InputError, match="cannot be the name"):
                ModelCard(name)
        named, _ = scene.coordinator.models.register(ModelCard("2b"), Purpose.HRESCH, ["glucose"], 1, 1)
        assert scene.auditor.models.find("2b") == scene.auditor.models.find("2") == named


class TestARound:
    def test_starts_from_what_the_coordinator_names_and_later_from_what_was_made(self, scene: Scene) -> None:
        models, model = scene.coordinator.models, scene.model.model
        with pytest.raises(InputError, match="first round needs"):
            models.open_round(model)
        opened, receipt = models.open_round(model, START)
        assert (opened.number, opened.parent, opened.block) == (1, START, receipt.block)
        scene.commit(scene.sites[0])
        scene.finalise()
        with pytest.raises(InputError, match="later round"):
            models.open_round(model, START)
        made = digest_of([AGGREGATE])
        second, _ = models.open_round(model, made)
        assert (second.number, second.parent) == (2, made)

    def test_needs_no_start_where_one_was_made(self, scene: Scene) -> None:
        scene.run()
        assert scene.round().parent == digest_of([AGGREGATE])

    def test_is_opened_by_its_coordinator_when_the_one_before_is_over(self, scene: Scene) -> None:
        model = scene.model.model
        with pytest.raises(NotOfKindError):
            scene.auditor.models.open_round(model, START)
        other = scene.world.join("other", [Kind.COORDINATOR])
        with pytest.raises(NotCoordinatorError):
            other.models.open_round(model, START)
        scene.round()
        with pytest.raises(RoundStillOpenError):
            scene.coordinator.models.open_round(model)
        with pytest.raises(InputError):
            scene.coordinator.models.open_round(model, START)
        scene.commit(scene.sites[0])
        scene.finalise()
        assert scene.coordinator.models.open_round(model)[0].number == 2

    def test_is_closed_with_every_update_named_in_the_order_of_the_ledger(self, scene: Scene) -> None:
        scene.round()
        for site in reversed(scene.sites):
            scene.commit(site)
        record, receipt = scene.coordinator.models.finalise(scene.model.model, [AGGREGATE[:3], AGGREGATE[3:]])
        assert record.updates == tuple((each.site, each.update) for each in updates(scene))
        assert [each.site for each in updates(scene)] == [each.address for each in reversed(scene.sites)]
        made = scene.world.ledger.view().aggregate(1, 1)
        assert made is not None
        assert (made.aggregate, made.updates, made.block) == (digest_of([AGGREGATE]), 2, receipt.block)
        block = scene.world.store.get(CID(made.record))
        assert AggregateRecord.read(scene.world.ledger.deployment, block) == (record, scene.coordinator.address)

    def test_may_leave_out_some_updates_and_not_all(self, scene: Scene) -> None:
        models, model, (one, other) = scene.coordinator.models, scene.model.model, scene.sites
        scene.round()
        for site in scene.sites:
            scene.commit(site)
        with pytest.raises(InputError, match="no update in round 1"):
            models.finalise(model, [AGGREGATE], [one.address, scene.auditor.address])
        with pytest.raises(InputError, match="is left out"):
            models.finalise(model, [AGGREGATE], [one.address, other.address])
        record, _ = models.finalise(model, [AGGREGATE], [one.address, one.address])
        assert record.updates == tuple(
            (each.site, each.update) for each in updates(scene) if each.site == other.address
        )
        made = scene.world.ledger.view().aggregate(1, 1)
        assert made is not None
        assert made.updates == 2

    def test_is_closed_once_by_its_coordinator_and_not_empty(self, scene: Scene) -> None:
        models, model = scene.coordinator.models, scene.model.model
        with pytest.raises(InputError, match="No round"):
            models.finalise(model, [AGGREGATE])
        scene.round()
        with pytest.raises(EmptyRoundError):
            models.finalise(model, [AGGREGATE])
        scene.commit(scene.sites[0])
        with pytest.raises(NotOfKindError):
            scene.sites[0].models.finalise(model, [AGGREGATE])
        models.finalise(model, [AGGREGATE])
        with pytest.raises(RoundFinalisedError):
            models.finalise(model, [AGGREGATE])

    def test_is_not_closed_over_an_update_that_its_coordinator_did_not_see(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scene.round()
        scene.commit(scene.sites[0])
        send = scene.world.ledger.send

        def outrun(call: Call, sender: Sender) -> Receipt:
            monkeypatch.undo()
            scene.commit(scene.sites[1])
            return send(call, sender)

        monkeypatch.setattr(scene.world.ledger, "send", outrun)
        with pytest.raises(StaleUpdatesError):
            scene.finalise()
        scene.finalise()


class TestLeavesThatNobodySees:
    """A patient must be able to look for themselves: the coordinator looks before it finalises."""

    def test_are_no_part_of_an_aggregate(self, scene: Scene) -> None:
        models, model, one = scene.coordinator.models, scene.model.model, scene.sites[0]
        scene.round()
        for site in scene.sites:
            scene.commit(site)
        (update, _) = updates(scene)
        store, deployment = scene.world.store, scene.world.ledger.deployment
        record, _ = UpdateRecord.read(deployment, store.get(CID(update.record)))
        for cid in (record.leaves, CID(update.record)):
            block = store.get(cid)
            store.remove([cid])
            with pytest.raises(CannotCheckError, match="Nobody can see") as caught:
                models.finalise(model, [AGGREGATE])
            assert caught.value.evidence["party"] == one.address
            models.to_finalise(model, [one.address])
            store.put(block, "dag-cbor")
        models.finalise(model, [AGGREGATE])

    def test_of_another_cohort_are_no_part_either(self, scene: Scene) -> None:
        models, model, (one, other) = scene.coordinator.models, scene.model.model, scene.sites
        context, number = one.context, scene.round()
        leaves = consents.ordered([START, digest_of([b"another twin"])])
        cid = context.store.put(consents.encode_leaves(leaves), "dag-cbor")
        record = UpdateRecord(1, 1, START, number.parent, consents.root(leaves), cid, 3, 1, b"")
        block = context.store.put(record.sign(context.deployment, context.key), "dag-cbor").digest
        said = Contribution(1, 1, 3, 1)
        context.ledger.send(calls.commit_update(START, number.parent, record.consents, block, said), context.key)
        scene.commit(other)
        with pytest.raises(IntegrityError, match="claims a cohort of 3 and shows 2") as caught:
            models.finalise(model, [AGGREGATE])
        assert caught.value.party == one.address
        models.finalise(model, [AGGREGATE], [one.address])


class TestBeforeAnybodyIsAsked:
    """What begins with `to_` says what the ledger would refuse, in the same words, and sends nothing."""

    @pytest.fixture
    def other(self, scene: Scene) -> Client:
        return scene.world.join("other", [Kind.COORDINATOR])

    def refuses(self, scene: Scene, error: type[DtledgerError], *attempts: Callable[[], object]) -> None:
        """The look and the call itself are refused alike, and no block is made."""
        before, said = scene.world.ledger.head(), []
        for attempt in attempts:
            with pytest.raises(error) as caught:
                attempt()
            said.append(str(caught.value))
        assert len(set(said)) == 1
        assert scene.world.ledger.head() == before

    def test_a_model_out_of_turn_is_refused(self, scene: Scene) -> None:
        def register(who: Client, name: str) -> Callable[[], object]:
            return lambda: who.models.register(ModelCard(name), Purpose.HRESCH, ["glucose"], 1, 1)

        models = scene.coordinator.models
        self.refuses(scene, NotOfKindError, lambda: scene.auditor.models.to_register("x"), register(scene.auditor, "x"))
        self.refuses(scene, InputError, lambda: models.to_register(CARD.name), register(scene.coordinator, CARD.name))
        stranger = scene.patients[0][0].client
        self.refuses(scene, NotAMemberError, lambda: stranger.models.to_register("x"), register(stranger, "x"))
        scene.coordinator.models.to_register("x")
        scene.world.operator.members.suspend(scene.coordinator.address)
        self.refuses(scene, SuspendedError, lambda: models.to_register("x"), register(scene.coordinator, "x"))

    def test_a_round_out_of_turn_is_refused(self, scene: Scene, other: Client) -> None:
        model, models = scene.model.model, scene.coordinator.models

        def both(who: Client, start: Digest | None = None) -> list[Callable[[], object]]:
            return [lambda: who.models.to_open(model, start), lambda: who.models.open_round(model, start)]

        self.refuses(scene, NotCoordinatorError, *both(other, START))
        self.refuses(scene, InputError, *both(scene.coordinator))
        assert models.to_open(model, START) == START
        models.open_round(model, START)
        self.refuses(scene, RoundStillOpenError, *both(scene.coordinator))
        scene.commit(scene.sites[0])
        scene.finalise()
        assert models.to_open(model) == digest_of([AGGREGATE])

    def test_an_aggregate_out_of_turn_is_refused(self, scene: Scene, other: Client) -> None:
        model = scene.model.model

        def both(who: Client) -> list[Callable[[], object]]:
            return [lambda: who.models.to_finalise(model), lambda: who.models.finalise(model, [AGGREGATE])]

        self.refuses(scene, InputError, *both(scene.coordinator))
        scene.round()
        self.refuses(scene, EmptyRoundError, *both(scene.coordinator))
        scene.commit(scene.sites[0])
        self.refuses(scene, NotCoordinatorError, *both(other))
        opened, present = scene.coordinator.models.to_finalise(model)
        assert (opened.number, present) == (1, tuple(updates(scene)))
        scene.finalise()
        self.refuses(scene, RoundFinalisedError, *both(scene.coordinator))

"""Models as their coordinator leads them, and as a patient finds what was trained on their twin."""

from __future__ import annotations

import pytest

from dtledger.client.uses import NamedModel
from dtledger.encoding import CID
from dtledger.errors import InputError, KeyFileError, UnreachableError
from dtledger.ledger import Call, Receipt, Sender, Update, calls
from dtledger.ledger.calls import Contribution
from dtledger.ledger.rejections.models import (
    EmptyRoundError,
    InvalidModelTermsError,
    NotCoordinatorError,
    NotOfKindError,
    RoundFinalisedError,
    RoundStillOpenError,
    StaleUpdatesError,
    SuspendedError,
)
from dtledger.models import consents
from dtledger.models.card import ModelCard
from dtledger.models.opening import Opening
from dtledger.models.update import AggregateRecord, UpdateRecord, digest_of
from dtledger.store import BlockMissingError
from dtledger.types import Digest
from dtledger.vocabulary import Kind, Purpose
from tests.models.scene import AGGREGATE, START, Patient, Scene

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
        assert record.updates == tuple(each.update for each in updates(scene))
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
        assert record.updates == tuple(each.update for each in updates(scene) if each.site == other.address)
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


def found(patient: Patient) -> list[tuple[int, int, str]]:
    """Model, round and site of each use."""
    uses = patient.client.models.used(patient.twin)
    assert uses.unseen == ()
    return [(each.update.model, each.update.round, each.update.site) for each in uses.found]


class TestAPatient:
    def test_finds_each_round_that_used_the_twin_and_no_other(self, scene: Scene) -> None:
        (one, other), ((ann, bob), (carl, _)) = scene.sites, scene.patients
        ann.let_train(other)
        stranger = scene.patient("stranger")
        scene.run()
        scene.round()
        scene.commit(one, twins=[bob.twin])
        scene.commit(other, twins=[ann.twin, carl.twin])
        assert found(ann) == [(1, 1, one.address), (1, 1, other.address), (1, 2, other.address)]
        assert found(bob) == [(1, 1, one.address), (1, 2, one.address)]
        assert found(carl) == [(1, 1, other.address), (1, 2, other.address)]
        assert found(stranger) == []

    def test_sees_what_was_made_of_it_once_it_was_made(self, scene: Scene) -> None:
        ann = scene.patients[0][0]
        scene.round()
        scene.commit(scene.sites[0])
        (use,) = ann.client.models.used(ann.twin).found
        assert (use.model, use.aggregate) == (scene.model, None)
        scene.finalise()
        (use,) = ann.client.models.used(ann.twin).found
        assert use.aggregate == scene.world.ledger.view().aggregate(1, 1)

    def test_finds_it_in_every_model(self, scene: Scene) -> None:
        site, ann = scene.sites[0], scene.patients[0][0]
        other = scene.model_of("other")
        scene.coordinator.models.open_round(other.model, START)
        site.training.commit(other.model, [b"update"], 1, [ann.twin])
        assert found(ann) == [(2, 1, site.address)]
        assert found(scene.patients[0][1]) == []

    def test_finds_it_under_an_organisations_grant(self, scene: Scene) -> None:
        institute, site = scene.institute()
        dora = scene.patient("dora", institute)
        scene.round()
        scene.commit(site)
        assert found(dora) == [(1, 1, site.address)]

    def test_finds_it_under_each_generation_after_the_consent_is_gone(self, scene: Scene) -> None:
        site, ann = scene.sites[0], scene.patients[0][0]
        context, consents = ann.client.context, ann.client.consents
        scene.run()
        secrets = context.key.secrets.twin(context.deployment.id, ann.twin).with_generation(1, b"\1" * 32)
        context.key.update(lambda held: held.with_twin(context.deployment.id, ann.twin, secrets))
        (record,) = consents.records(ann.twin)
        consents.reseal(record.slot)
        scene.run()
        consents.revoke(record.slot)
        assert found(ann) == [(1, 1, site.address), (1, 2, site.address)]

    def test_is_told_of_updates_that_cannot_be_looked_into(self, scene: Scene) -> None:
        ann, store, deployment = scene.patients[0][0], scene.world.store, scene.world.ledger.deployment
        scene.run(3)
        (first, _), (second, _), (third, other) = (updates(scene, number) for number in (1, 2, 3))
        leaves = UpdateRecord.read(deployment, store.get(CID(first.record)))[0].leaves
        assert len(found(ann)) == 3
        store.remove([leaves])
        store.damage(CID(second.record))
        store.remove([CID(other.record)])
        uses = ann.client.models.used(ann.twin)
        assert uses.unseen == (first, second, other)
        assert [each.update for each in uses.found] == [third]

    @pytest.mark.parametrize("fault", ["", "leaves of its choice", "another's signature"])
    def test_is_told_of_leaves_that_are_not_what_was_committed_to(self, scene: Scene, fault: str) -> None:
        (site, other), ann = scene.sites, scene.patients[0][0]
        context, number = site.context, scene.round()
        plan = site.training.plan(scene.model.model)
        opening = Opening(1, 1, site.address, bytes(32), plan.shown)
        leaves = consents.ordered(opening.leaf(context.deployment, each) for each in plan.shown)
        shown = [Digest(b"\1" * 32)] if fault == "leaves of its choice" else leaves
        cid = context.store.put(consents.encode_leaves(shown), "dag-cbor")
        record = UpdateRecord(1, 1, START, number.parent, consents.root(leaves), cid, 2, 1, b"")
        signer = other if fault == "another's signature" else site
        block = context.store.put(record.sign(context.deployment, signer.context.key), "dag-cbor").digest
        said = Contribution(1, 1, 2, 1)
        context.ledger.send(calls.commit_update(START, number.parent, record.consents, block, said), context.key)
        uses = ann.client.models.used(ann.twin)
        assert (len(uses.found), len(uses.unseen)) == ((0, 1) if fault else (1, 0))

    def test_is_not_told_that_there_is_nothing_while_the_store_is_silent(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ann = scene.patients[0][0]
        scene.run()

        def silent(cid: CID) -> bytes:
            raise UnreachableError("the store does not answer")

        with monkeypatch.context() as patched:
            patched.setattr(scene.world.store, "get", silent)
            with pytest.raises(UnreachableError) as caught:
                ann.client.models.used(ann.twin)
            assert not isinstance(caught.value, BlockMissingError)
        assert len(found(ann)) == 1

    def test_looks_with_the_key_that_holds_the_twins_secrets(self, scene: Scene) -> None:
        ann, bob = scene.patients[0]
        with pytest.raises(KeyFileError):
            bob.client.models.used(ann.twin)
        scene.run()
        with pytest.raises(KeyFileError):
            bob.client.models.used(ann.twin)
        assert found(ann)

"""A site's part in a round: what it may commit to, and what it can show of it later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dtledger.client import Client
from dtledger.crypto.seal import SealKey
from dtledger.crypto.tags import link_key
from dtledger.encoding import CID
from dtledger.errors import AccessDeniedError, CannotCheckError, DtledgerError, InputError, IntegrityError
from dtledger.ledger import calls
from dtledger.ledger.rejections.models import (
    AlreadyCommittedError,
    InvalidModelTermsError,
    NotOfKindError,
    OverBudgetError,
    RoundFinalisedError,
    StaleParentError,
    SuspendedError,
    UnderCohortError,
)
from dtledger.models import consents
from dtledger.models.opening import Opening
from dtledger.models.update import Notes, Trained, UpdateRecord, commitment
from dtledger.store import BlockMissingError
from dtledger.types import Address
from dtledger.vocabulary import Kind
from tests.client.test_trained_consents import lose_the_package, next_round, picked, revoke
from tests.models.scene import AGGREGATE, DAY, START, UPDATE, Patient, Scene

pytestmark = pytest.mark.slow

# commitments ---------------------------------------------------------------------------------------------------------


def leaves_of(scene: Scene, patients: Sequence[Patient], site: Client, grantee: Address | None = None) -> list[bytes]:
    """As the patients derive them."""
    made = []
    for each in patients:
        deployment = each.client.context.deployment.id
        secret = each.client.context.key.secrets.twin(deployment, each.twin).generations[0]
        link = link_key(secret, 0, each.twin, grantee or site.address)
        made.append(consents.leaf(link, deployment, 1, 1, site.address, each.twin))
    return sorted(made)


class TestACommitment:
    def test_says_on_the_ledger_and_in_a_signed_record_what_was_trained_and_under_what(self, scene: Scene) -> None:
        site, deployment = scene.sites[0], scene.world.ledger.deployment
        number = scene.round()
        record, receipt = site.training.commit(scene.model.model, [UPDATE[:3], UPDATE[3:]], 500)
        (update,) = scene.world.ledger.view().updates(1, 1)
        assert record.says(update)
        assert (update.site, update.block, update.parent) == (site.address, receipt.block, number.parent)
        assert (update.cohort, update.epsilon) == (2, 500)
        signed = UpdateRecord.read(deployment, scene.world.store.get(CID(update.record)))
        assert signed == (record, site.address)
        leaves = consents.decode_leaves(scene.world.store.get(record.leaves))
        assert list(leaves) == leaves_of(scene, scene.patients[0], site)
        assert consents.root(leaves) == update.consents
        notes = Notes.open(deployment, 1, 1, record.notes, site.context.key.seal_key)
        assert notes.trained == tuple(Trained(each.twin, site.address, 0) for each in scene.patients[0])
        assert commitment(notes.salt, [UPDATE]) == update.update

    def test_of_the_same_update_is_never_the_same(self, scene: Scene) -> None:
        scene.run(2)
        made = {each.update for number in (1, 2) for each in scene.world.ledger.view().updates(1, number)}
        assert len(made) == 4

    def test_is_to_the_twins_that_are_named(self, scene: Scene) -> None:
        site, (ann, bob) = scene.sites[0], scene.patients[0]
        scene.round()
        with pytest.raises(AccessDeniedError) as caught:
            site.training.commit(scene.model.model, [UPDATE], 1, [bob.twin, 999, scene.patients[1][0].twin])
        assert caught.value.evidence["twins"] == [scene.patients[1][0].twin, 999]
        with pytest.raises(AccessDeniedError) as caught:
            site.training.commit(scene.model.model, [UPDATE], 1, [])
        assert caught.value.evidence["twins"] == []
        record, _ = site.training.commit(scene.model.model, [UPDATE], 1, [bob.twin, bob.twin])
        assert record.cohort == 1
        assert ann.client.models.used(ann.twin).found == ()

    def test_without_any_consent_is_refused(self, scene: Scene) -> None:
        scene.round()
        with pytest.raises(AccessDeniedError, match="No consent to train this model stood when round 1") as caught:
            scene.auditor.training.commit(scene.model.model, [UPDATE], 1)
        assert caught.value.evidence["twins"] == []
        assert scene.sites[0].training.commit(scene.model.model, [UPDATE], 1)

    def test_waits_for_a_round(self, scene: Scene) -> None:
        site, model = scene.sites[0], scene.model.model
        with pytest.raises(InputError, match="No round"):
            site.training.commit(model, [UPDATE], 1)
        scene.round()
        site.training.commit(model, [UPDATE], 1)

    def test_is_made_once_a_round_while_it_is_open(self, scene: Scene) -> None:
        (site, late), model = scene.sites, scene.model.model
        scene.round()
        site.training.commit(model, [UPDATE], 1)
        with pytest.raises(AlreadyCommittedError):
            site.training.commit(model, [b"another"], 1)
        scene.finalise()
        with pytest.raises(RoundFinalisedError):
            late.training.commit(model, [UPDATE], 1)
        scene.round()
        for each in (site, late):
            each.training.commit(model, [UPDATE], 1)

    def test_spends_something_and_no_more_than_the_budget(self, scene: Scene) -> None:
        site, model = scene.sites[0], scene.model.model
        scene.round()
        for epsilon, error in ((0, InvalidModelTermsError), (3001, OverBudgetError)):
            with pytest.raises(error):
                site.training.commit(model, [UPDATE], epsilon)
        site.training.commit(model, [UPDATE], 3000)
        scene.finalise()
        scene.round()
        with pytest.raises(OverBudgetError):
            site.training.commit(model, [UPDATE], 1)

    def test_out_of_turn_is_refused_before_anybody_is_asked(self, scene: Scene) -> None:
        (site, late), model = scene.sites, scene.model.model

        def refused(who: Client, error: type[DtledgerError], epsilon: int = 1) -> None:
            before = scene.world.ledger.head()
            with pytest.raises(error) as looked:
                who.training.require_turn(model, epsilon)
            with pytest.raises(error) as sent:
                who.training.commit(model, [UPDATE], epsilon)
            assert str(looked.value) == str(sent.value)
            assert scene.world.ledger.head() == before

        refused(site, InputError)
        scene.round()
        refused(site, OverBudgetError, 3001)
        site.training.require_turn(model, 3000)
        site.training.commit(model, [UPDATE], 2000)
        refused(site, AlreadyCommittedError)
        scene.finalise()
        refused(late, RoundFinalisedError)
        scene.round()
        refused(site, OverBudgetError, 1001)
        site.training.require_turn(model, 1000)
        scene.world.operator.members.set_kinds(site.address, 0)
        refused(site, NotOfKindError)
        scene.world.operator.members.suspend(late.address)
        refused(late, SuspendedError)

    def test_is_over_the_least_cohort(self, scene: Scene) -> None:
        site, model = scene.sites[0], scene.model_of("large", minimum_cohort=2).model
        scene.coordinator.models.open_round(model, START)
        alone = [scene.patients[0][0].twin]
        for attempt in (
            lambda: site.training.plan(model, alone).require_cohort(),
            lambda: site.training.commit(model, [UPDATE], 1, alone),
        ):
            with pytest.raises(UnderCohortError, match="on 1 twins, the model takes 2"):
                attempt()
        site.training.plan(model).require_cohort()
        site.training.commit(model, [UPDATE], 1)

    def test_is_an_active_researchers(self, scene: Scene) -> None:
        (one, other), model = scene.sites, scene.model.model
        scene.round()
        scene.world.operator.members.set_kinds(one.address, 0)
        scene.world.operator.members.suspend(other.address)
        with pytest.raises(NotOfKindError):
            one.training.commit(model, [UPDATE], 1)
        with pytest.raises(SuspendedError):
            other.training.commit(model, [UPDATE], 1)
        scene.world.operator.members.set_kinds(one.address, Kind.RESEARCHER.mask)
        one.training.commit(model, [UPDATE], 1)

    def test_of_who_was_no_researcher_when_the_round_was_opened_stands_on_no_consent(self, scene: Scene) -> None:
        site, members = scene.sites[0], scene.world.operator.members
        members.set_kinds(site.address, 0)
        scene.round()
        members.set_kinds(site.address, Kind.RESEARCHER.mask)
        assert picked(scene, site) == []
        next_round(scene)
        assert len(picked(scene, site)) == 2

    def test_builds_on_the_round_as_the_ledger_has_it(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        """By hand, on what the round before started from: the ledger refuses it."""
        site = scene.sites[0]
        scene.run()
        scene.round()
        real = calls.commit_update
        monkeypatch.setattr(calls, "commit_update", lambda update, parent, *rest: real(update, START, *rest))
        with pytest.raises(StaleParentError):
            scene.commit(site)
        monkeypatch.undo()
        scene.commit(site)


# showing it to an auditor --------------------------------------------------------------------------------------------


def shown_to_the_auditor(scene: Scene, site: Client, number: int = 1) -> Opening:
    auditor = scene.auditor.context
    block = auditor.store.get(site.training.open(scene.model.model, number, scene.auditor.address))
    return Opening.open(auditor.deployment, block, auditor.key.address, auditor.key.seal_key)


def assert_opens(scene: Scene, site: Client, patients: Sequence[Patient], number: int = 1) -> None:
    """The opening has the leaves of the consent root, and the salt of the update."""
    opening = shown_to_the_auditor(scene, site, number)
    assert [each.trained.twin for each in opening.shown] == [each.twin for each in patients]
    update = next(each for each in scene.world.ledger.view().updates(1, number) if each.site == site.address)
    deployment = scene.world.ledger.deployment
    leaves = consents.ordered(opening.leaf(deployment, each) for each in opening.shown)
    assert consents.root(leaves) == update.consents
    assert commitment(opening.salt, [UPDATE]) == update.update


class TestAnOpening:
    def test_shows_leaves_salt_grants_and_bits(self, scene: Scene) -> None:
        scene.run(2)
        for number in (1, 2):
            for site, patients in zip(scene.sites, scene.patients, strict=True):
                assert_opens(scene, site, patients, number)

    def test_is_made_after_the_grants_are_gone(self, scene: Scene) -> None:
        site, (ann, bob) = scene.sites[0], scene.patients[0]
        scene.run()
        revoke(scene, ann, site)
        bob.client.consents.revoke_all(bob.twin)
        ann.let_train(site, categories=["sleep"])  # another grant in the same slot
        scene.world.clock.advance(60 * DAY)
        assert_opens(scene, site, [ann, bob])

    def test_is_made_after_the_site_changed_its_key(self, scene: Scene) -> None:
        site = scene.sites[0]
        scene.run()
        site.members.rekey()
        assert_opens(scene, site, scene.patients[0])
        for patient in scene.patients[0]:
            (record,) = patient.client.consents.records(patient.twin)
            patient.client.consents.reseal(record.slot)
        scene.run()
        site.members.rekey()
        for number in (1, 2):
            assert_opens(scene, site, scene.patients[0], number)

    def test_is_not_made_with_a_key_that_never_was_the_sites(self, scene: Scene) -> None:
        site = scene.sites[0]
        scene.run()
        held = site.context.key.secrets
        site.context.key.update(lambda held: replace(held, seal_key=SealKey.generate()))
        with pytest.raises(IntegrityError, match="does not open"):
            site.training.opening(scene.model.model, 1)
        site.context.key.update(lambda _: held)
        assert_opens(scene, site, scene.patients[0])

    def test_is_made_under_an_organisations_grant(self, scene: Scene) -> None:
        institute, site = scene.institute()
        dora = scene.patient("dora", institute)
        scene.round()
        scene.commit(site)
        assert_opens(scene, site, [dora])

    def test_is_of_a_round_that_the_site_committed_to(self, scene: Scene) -> None:
        (site, other), model = scene.sites, scene.model.model
        scene.round()
        scene.commit(site)
        for who, number in ((other, 1), (site, 2), (site, 0)):
            with pytest.raises(InputError, match=f"no update in round {number}"):
                who.training.open(model, number, scene.auditor.address)
        assert_opens(scene, site, scene.patients[0])

    def test_is_sealed_to_somebody_who_is_enrolled(self, scene: Scene) -> None:
        site, ann = scene.sites[0], scene.patients[0][0]
        scene.run()
        with pytest.raises(CannotCheckError, match="not enrolled"):
            site.training.open(scene.model.model, 1, ann.client.address)
        assert_opens(scene, site, scene.patients[0])

    def test_is_shown_to_an_auditor_alone(self, scene: Scene) -> None:
        (site, other), model, members = scene.sites, scene.model.model, scene.world.operator.members
        scene.run()
        for attempt in (site.training.to_show, site.training.open):
            with pytest.raises(InputError, match="an AUDITOR alone") as caught:
                attempt(model, 1, other.address)
            assert caught.value.evidence["auditor"] == other.address
        members.set_kinds(other.address, Kind.RESEARCHER.mask | Kind.AUDITOR.mask)
        assert site.training.to_show(model, 1, other.address) == site.training.opening(model, 1)
        assert site.training.open(model, 1, other.address)

    def test_needs_the_packages_of_then(self, scene: Scene) -> None:
        site, (ann, _) = scene.sites[0], scene.patients[0]
        scene.run()
        assert_opens(scene, site, scene.patients[0])
        lose_the_package(scene, ann, site)
        with pytest.raises(BlockMissingError):
            site.training.opening(scene.model.model, 1)

    def test_names_no_grant_that_did_not_stand(self, scene: Scene) -> None:
        """A record of a dishonest machine of the site: its notes name a slot that was empty."""
        site, (ann, _) = scene.sites[0], scene.patients[0]
        number = scene.round()
        context = site.context
        for slot in (5, 0):
            notes = Notes(bytes(32), (Trained(ann.twin, site.address, slot),))
            sealed = notes.sealed(context.deployment, 1, number.number, context.key.seal_key.public)
            record = UpdateRecord(1, number.number, START, number.parent, START, CID(START), 1, 1, sealed)
            block = context.store.put(record.sign(context.deployment, context.key), "dag-cbor").digest
            said = calls.Contribution(1, number.number, 1, 1)
            context.ledger.send(calls.commit_update(START, number.parent, START, block, said), context.key)
            if slot:
                with pytest.raises(CannotCheckError, match=f"No grant on twin {ann.twin} stood"):
                    site.training.opening(scene.model.model, number.number)
                scene.commit(scene.sites[1])
                scene.coordinator.models.finalise(scene.model.model, [AGGREGATE], [site.address])
                number = scene.round()
        assert len(site.training.opening(scene.model.model, 2).shown) == 1

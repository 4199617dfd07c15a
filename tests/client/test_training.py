"""A site's part: whose consents count in a round, what it may commit to, and what it can show of it later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from dtledger.client import Client, Terms, publish_keyring
from dtledger.crypto.seal import SealKey
from dtledger.crypto.tags import link_key
from dtledger.encoding import CID
from dtledger.errors import AccessDeniedError, CannotCheckError, InputError, IntegrityError, UnreachableError
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
from dtledger.types import Address, Period
from dtledger.vocabulary import Action, Kind, Purpose
from tests.models.scene import DAY, START, UPDATE, Patient, Scene, same_bit


def picked(scene: Scene, site: Client) -> list[int]:
    """The twins that a site may train the newest round on; none if it may train on none."""
    try:
        return [each.trained.twin for each in site.training.plan(scene.model.model).shown]
    except AccessDeniedError:
        return []


def trained(scene: Scene, site: Client) -> list[Trained]:
    return [each.trained for each in site.training.plan(scene.model.model).shown]


def next_round(scene: Scene) -> None:
    """Whatever the newest round is for: over with it, and open another."""
    scene.commit(scene.sites[1])
    scene.finalise()
    scene.round()


# whose consents count ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lack:
    """What is wrong with a patient's consent: what was done before the round was opened, and what after it; `mend` is
    done before the next round."""

    before: Callable[[Scene, Patient, Client], object] = lambda scene, patient, site: None
    after: Callable[[Scene, Patient, Client], object] = lambda scene, patient, site: None
    mend: Callable[[Scene, Patient, Client], object] = lambda scene, patient, site: patient.let_train(site)


def let(**how: object) -> Callable[[Scene, Patient, Client], object]:
    return lambda scene, patient, site: patient.let_train(site, **how)  # type: ignore[arg-type]


def let_and(then: Callable[[Scene, Patient, Client], object]) -> Callable[[Scene, Patient, Client], object]:
    def both(scene: Scene, patient: Patient, site: Client) -> None:
        patient.let_train(site)
        then(scene, patient, site)

    return both


def revoke(scene: Scene, patient: Patient, site: Client) -> None:
    (record,) = patient.client.consents.records(patient.twin)
    patient.client.consents.revoke(record.slot)


def give_back(scene: Scene, patient: Patient, site: Client) -> None:
    (record,) = patient.client.consents.records(patient.twin)
    site.consents.revoke(record.slot)


def let_from_tomorrow(scene: Scene, patient: Patient, site: Client) -> None:
    begins = scene.world.clock() + DAY
    terms = Terms(("glucose",), (Purpose.HRESCH,), (Action.TRAIN,), begins, begins + DAY, Period(0, 1))
    patient.client.consents.grant(patient.twin, site.address, terms)


def cancel_retirement(scene: Scene, patient: Patient, site: Client) -> None:
    scene.world.ledger.send(calls.cancel_retirement(patient.twin), patient.client.context.key)


def lose_the_package(scene: Scene, patient: Patient, site: Client) -> None:
    (record,) = patient.client.consents.records(patient.twin)
    scene.world.store.remove([CID(record.package)])


LACKS = {
    "no grant": Lack(),
    "revoked before the round": Lack(let_and(revoke)),
    "given back by the site before the round": Lack(let_and(give_back)),
    "everything revoked before the round": Lack(
        let_and(lambda scene, patient, site: patient.client.consents.revoke_all(patient.twin))
    ),
    "granted after the round": Lack(after=let(), mend=lambda scene, patient, site: None),
    "for another purpose": Lack(let(purpose=Purpose.CLINTRCH)),
    "to read alone": Lack(let(action=Action.READ)),
    "of another category": Lack(let(categories=["heart-rate"])),
    "for another site": Lack(lambda scene, patient, site: patient.let_train(scene.sites[1])),
    "ended before the round": Lack(
        lambda scene, patient, site: (patient.let_train(site, days=1), scene.world.clock.advance(DAY))
    ),
    "not begun": Lack(let_from_tomorrow),
    "blocked": Lack(
        let_and(lambda scene, patient, site: patient.client.consents.block(patient.twin, site.address)),
        mend=lambda scene, patient, site: patient.client.consents.unblock(patient.twin, site.address),
    ),
    "a retired twin": Lack(
        let_and(
            lambda scene, patient, site: scene.world.ledger.send(
                calls.announce_retirement(patient.twin), patient.client.context.key
            )
        ),
        mend=cancel_retirement,
    ),
    "a package that nobody has": Lack(let_and(lose_the_package)),
    "a package without a link key": Lack(
        lambda scene, patient, site: patient.let_train_by(site, lambda keys: replace(keys, link=b""))
    ),
    "a package whose bits the twin card does not know": Lack(
        lambda scene, patient, site: patient.let_train_by(site, lambda keys: replace(keys, bits=same_bit(keys.bits)))
    ),
}


@pytest.mark.parametrize("name", LACKS)
def test_a_consent_that_did_not_stand_when_the_round_was_opened_does_not_count(scene: Scene, name: str) -> None:
    lack, (site, _), whole = LACKS[name], scene.sites, [each.twin for each in scene.patients[0]]
    patient = scene.patient("dora")
    lack.before(scene, patient, site)
    scene.round()
    lack.after(scene, patient, site)
    assert picked(scene, site) == whole
    with pytest.raises(AccessDeniedError, match=f"No consent .* stood on twin {patient.twin} when round 1") as caught:
        site.training.commit(scene.model.model, [UPDATE], 1, [*whole, patient.twin])
    assert caught.value.evidence["twins"] == [patient.twin]
    lack.mend(scene, patient, site)
    next_round(scene)
    assert picked(scene, site) == [*whole, patient.twin], "what was lacking was mended"
    site.training.commit(scene.model.model, [UPDATE], 1, [*whole, patient.twin])


@pytest.mark.parametrize(
    "after",
    [
        revoke,
        give_back,
        lambda scene, patient, site: patient.client.consents.revoke_all(patient.twin),
        lambda scene, patient, site: patient.client.consents.block(patient.twin, site.address),
        lambda scene, patient, site: scene.world.clock.advance(31 * DAY),
        lambda scene, patient, site: scene.world.ledger.send(
            calls.announce_retirement(patient.twin), patient.client.context.key
        ),
    ],
    ids=["revoked", "given back", "everything revoked", "blocked", "ended", "retired"],
)
def test_what_ends_after_the_round_was_opened_counts_for_it_and_not_for_the_next(
    scene: Scene, after: Callable[[Scene, Patient, Client], object]
) -> None:
    site, (ann, bob) = scene.sites[0], scene.patients[0]
    bob.let_train(site, days=60)
    scene.round()
    after(scene, ann, site)
    assert picked(scene, site) == [ann.twin, bob.twin]
    scene.commit(site)
    scene.finalise()
    scene.round()
    assert picked(scene, site) == [bob.twin]


def test_one_grant_must_cover_every_category_of_the_model(scene: Scene) -> None:
    site, (ann, bob) = scene.sites[0], scene.patients[0]
    model = scene.model_of("both", ["glucose", "heart-rate"]).model
    ann.let_train(site, categories=["heart-rate"])  # beside one for glucose
    bob.let_train(site, categories=["glucose", "heart-rate", "sleep"])
    scene.coordinator.models.open_round(model, START)
    plan = site.training.plan(model)
    assert [each.trained.twin for each in plan.shown] == [bob.twin]
    assert [proof.category for proof in plan.shown[0].bits] == [0, 3]


@pytest.mark.parametrize(("purpose", "categories"), [(8, 1 << 30), (8, 1 << 30 | 1), (31, 1)])
def test_a_model_in_words_of_a_later_version_is_not_trained(scene: Scene, purpose: int, categories: int) -> None:
    """A coordinator could else ask for nothing that anybody checks: no known category, and every grant would do."""
    ledger, site = scene.world.ledger, scene.sites[0]
    for number, terms in ((2, (purpose, categories)), (3, (8, 1))):
        ledger.send(calls.register_model(*terms, 1, 3000, START), scene.coordinator.context.key)
        model = ledger.view().model(number)
        assert model is not None
        scene.coordinator.models.open_round(model, START)
        if number == 2:
            with pytest.raises(CannotCheckError, match="does not know"):
                site.training.plan(model)
        else:
            assert len(site.training.plan(model).shown) == 2


class TestAnOrganisationsGrant:
    def test_counts_for_its_members(self, scene: Scene) -> None:
        institute, site = scene.institute()
        dora = scene.patient("dora", institute)
        scene.round()
        assert trained(scene, site) == [Trained(dora.twin, institute.address, 0)]
        assert dora.twin not in picked(scene, scene.sites[0])

    def test_comes_after_the_sites_own_and_counts_the_twin_once(self, scene: Scene) -> None:
        institute, site = scene.institute()
        dora, erik = scene.patient("dora", institute), scene.patient("erik", site)
        dora.let_train(site)
        dora.let_train(site)
        erik.let_train(institute)
        scene.round()
        assert trained(scene, site) == [Trained(dora.twin, site.address, 0), Trained(erik.twin, site.address, 0)]

    def test_stands_in_where_the_sites_own_does_not_count(self, scene: Scene) -> None:
        institute, site = scene.institute()
        dora = scene.patient("dora", institute)
        dora.let_train(site, purpose=Purpose.CLINTRCH)
        scene.round()
        assert trained(scene, site) == [Trained(dora.twin, institute.address, 0)]

    def test_is_shut_to_a_member_that_is_not_in_the_keyring(self, scene: Scene) -> None:
        institute, site = scene.institute()
        dora = scene.patient("dora", institute)
        publish_keyring(institute.context, [])
        scene.round()
        assert picked(scene, site) == []
        publish_keyring(institute.context, [site.address])
        assert picked(scene, site) == [dora.twin]


def test_twins_come_in_the_order_of_their_numbers(scene: Scene) -> None:
    site = scene.sites[0]
    late = scene.patient("late")
    early = scene.patients[1]
    for patient in (late, *reversed(early)):
        patient.let_train(site)
    scene.round()
    twins = [each.twin for each in (*scene.patients[0], *early, late)]
    assert picked(scene, site) == twins == sorted(twins)


def test_a_cohort_is_not_smaller_for_a_store_that_does_not_answer(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.round()
    site, store = scene.sites[0], scene.world.store
    real, asked = store.get, []

    def silent_from_the_second_on(cid: CID) -> bytes:
        asked.append(cid)
        if len(asked) > 1:
            raise UnreachableError("the store does not answer")
        return real(cid)

    with monkeypatch.context() as patched:
        patched.setattr(store, "get", silent_from_the_second_on)
        with pytest.raises(UnreachableError):
            site.training.commit(scene.model.model, [UPDATE], 1)
    assert scene.world.ledger.view().updates(1, 1) == []
    assert site.training.commit(scene.model.model, [UPDATE], 1)[0].cohort == 2


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

    def test_is_over_the_least_cohort(self, scene: Scene) -> None:
        site, model = scene.sites[0], scene.model_of("large", minimum_cohort=2).model
        scene.coordinator.models.open_round(model, START)
        with pytest.raises(UnderCohortError):
            site.training.commit(model, [UPDATE], 1, [scene.patients[0][0].twin])
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
                scene.finalise()
                number = scene.round()
        assert len(site.training.opening(scene.model.model, 2).shown) == 1

"""Whose consents count in a round: those that stood when it was opened, for all that the model asks, each twin once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from dtledger.client import Client, Terms, publish_keyring
from dtledger.encoding import CID
from dtledger.errors import AccessDeniedError, CannotCheckError, UnreachableError
from dtledger.ledger import calls
from dtledger.models.update import Trained
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose
from tests.models.scene import DAY, START, UPDATE, Patient, Scene, same_bit

pytestmark = pytest.mark.slow


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

"""The claim `receipts`: what custodians opened to be trained on, beside what a site shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dtledger.audit import Claim, ModelAudit, Verdict
from dtledger.client import Client, writing_terms
from dtledger.custody import AccessReceipt
from dtledger.types import Digest
from dtledger.vocabulary import Action, Kind, Purpose
from tests.audit.runs import Run
from tests.models.scene import DAY, START, Patient


def with_glucose(run: Run, patient: Patient) -> None:
    """The twin has readings, which its site may train on."""
    world, readings = run.world, run.world.readings
    terms = writing_terms(["glucose"], world.clock(), 30 * DAY, back_to=readings[0].minute)
    patient.client.consents.grant(patient.twin, world.gateway.address, terms)
    world.gateway.writer.put(patient.twin, "glucose", readings)


def read(site: Client, patient: Patient, action: str = "TRAIN", purpose: str = "HRESCH") -> None:
    assert site.read(patient.twin, "glucose", purpose, action=action)


def receipts(run: Run) -> list[AccessReceipt]:
    """All that every custodian has, of all twins."""
    return [entry.receipt for each in run.world.custodians for entry in each.log.entries]


def claims(run: Run, given: Sequence[AccessReceipt] | None = None) -> dict[str, Claim]:
    """The claims `receipts`, by what they are about."""
    view = run.ledger.view()
    model = view.model(run.model.number)
    assert model is not None
    given = receipts(run) if given is None else given
    audit = ModelAudit(run.deployment, view, run.store, model, run.openings, receipts=given)
    every = list(audit.claims())
    assert audit.count == len(every)
    return {each.about.split(", ")[1]: each for each in every if each.name == "receipts"}


def verdict(run: Run, given: Sequence[AccessReceipt] | None = None) -> tuple[Verdict, str]:
    """Of the first site's update."""
    found = claims(run, given)[run.scene.sites[0].address]
    return found.verdict, found.evidence


@pytest.fixture
def reading(run: Run) -> Run:
    """Both patients of the first site have data; the round is open, and the site has read both to train."""
    for patient in run.scene.patients[0]:
        with_glucose(run, patient)
    run.open()
    for patient in run.scene.patients[0]:
        read(run.scene.sites[0], patient)
    return run


def test_the_same_twins_pass_and_who_read_nothing_cannot_be_checked(reading: Run) -> None:
    reading.finish()
    found = claims(reading)
    one, other = (found[site.address] for site in reading.scene.sites)
    assert (one.verdict, one.evidence) == (Verdict.PASS, "custodians opened each of 2 twins to train")
    assert (other.verdict, other.evidence) == (Verdict.CANNOT_CHECK, "no receipt of the site's training is at hand")


def test_without_receipts_there_is_no_claim_and_with_none_of_the_site_no_pass(reading: Run) -> None:
    reading.finish()
    assert "receipts" not in [each.name for each in reading.claims()]
    assert verdict(reading, []) == (Verdict.CANNOT_CHECK, "no receipt of the site's training is at hand")


def test_a_twin_that_was_trained_on_without_a_read_is_found(reading: Run) -> None:
    """Its consent was there: what the site trained on was not what custodians opened."""
    third = reading.scene.patient("third", reading.scene.sites[0])
    reading.world.clock.advance(60)
    reading.finish()
    reading.open()
    for patient in reading.scene.patients[0]:
        read(reading.scene.sites[0], patient)
    reading.finish()
    view = reading.ledger.view()
    model = view.model(1)
    assert model is not None
    audit = ModelAudit(reading.deployment, view, reading.store, model, reading.openings, receipts=receipts(reading))
    told = [each for each in audit.claims() if each.name == "receipts" and each.verdict is Verdict.FAIL]
    assert [each.evidence for each in told] == [f"shown and by no receipt read to train: twin {third.twin}"]
    with_glucose(reading, third)


def test_a_twin_that_was_read_to_train_and_is_not_shown_is_found(reading: Run) -> None:
    site, (ann, bob) = reading.scene.sites[0], reading.scene.patients[0]
    shown = [each for each in reading.shown(site) if each.trained.twin == ann.twin]
    reading.commit(site, shown)
    reading.finish()
    assert verdict(reading) == (
        Verdict.FAIL,
        f"read to train while the round was open, and not shown: twin {bob.twin}",
    )


def test_a_twin_that_was_read_for_another_model_under_way_is_not_held_against_the_site(reading: Run) -> None:
    scene, site, ann = reading.scene, reading.scene.sites[0], reading.scene.patients[0][0]
    other = scene.model_of("other").model
    scene.coordinator.models.open_round(other, START)
    site.training.commit(other, [b"another update"], 1)
    reading.commit(site, [each for each in reading.shown(site) if each.trained.twin == ann.twin])
    reading.finish()
    found, evidence = verdict(reading)
    assert (found, "1 more for another model or for this one" in evidence) == (Verdict.PASS, True)


@pytest.mark.parametrize(
    "change",
    [{"action": Action.READ}, {"purpose": Purpose.CLINTRCH}, {"at": 2**33}, {"count": 0, "refused": ()}],
    ids=["to read", "for another purpose", "after the commitment", "of nothing"],
)
def test_a_receipt_of_something_else_is_of_no_training(reading: Run, change: dict[str, object]) -> None:
    reading.finish()
    ann = reading.scene.patients[0][0]
    keys = {each.address: each for each in reading.world.custodians}
    given = []
    for each in receipts(reading):
        if each.twin == ann.twin:
            other = replace(each, **change)
            other = replace(other, signature=keys[each.custodian]._key.sign_digest(other.to_sign(reading.deployment)))
            given.append(other)
        else:
            given.append(each)
    assert verdict(reading, given) == (Verdict.FAIL, f"shown and by no receipt read to train: twin {ann.twin}")
    assert verdict(reading)[0] is Verdict.PASS


def test_a_forged_receipt_and_one_of_no_custodian_fail(reading: Run) -> None:
    reading.finish()
    first, *rest = receipts(reading)
    forged = replace(first, digests=Digest(bytes(32)))
    assert verdict(reading, [forged, *rest]) == (Verdict.FAIL, "a receipt is not signed by its custodian")
    site = reading.scene.sites[0]
    own = replace(first, custodian=site.address)
    own = replace(own, signature=site.context.key.sign_digest(own.to_sign(reading.deployment)))
    found, evidence = verdict(reading, [own, *rest])
    assert (found, "which is no custodian" in evidence) == (Verdict.FAIL, True)
    assert verdict(reading)[0] is Verdict.PASS


def test_a_receipt_of_a_custodian_that_never_kept_the_twins_keys_fails(reading: Run) -> None:
    """A site that is in league with one says by it that it read what it never read."""
    reading.finish()
    first, *rest = receipts(reading)
    friend = reading.world.join("friend", [Kind.CUSTODIAN])
    own = replace(first, custodian=friend.address)
    own = replace(own, signature=friend.context.key.sign_digest(own.to_sign(reading.deployment)))
    found, evidence = verdict(reading, [own, *rest])
    assert (found, "which never kept its keys" in evidence) == (Verdict.FAIL, True)
    assert verdict(reading)[0] is Verdict.PASS

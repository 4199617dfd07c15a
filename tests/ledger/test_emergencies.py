"""Openings and reviews on every `Ledger`: what is told, remembered and refused."""

from __future__ import annotations

from typing import Any

import pytest

from dtledger.ledger import Opening, Review, Slot, calls
from dtledger.ledger.events import Emergency, EmergencyOpened, EmergencyReviewed
from dtledger.ledger.rejections import ContractMalformedRequestError
from dtledger.ledger.rejections.emergencies import (
    AlreadyReviewedError,
    CannotOpenError,
    NotReviewerError,
    UnknownCodeError,
    UnknownOpeningError,
    UnreviewedError,
)
from dtledger.policy import Request, check
from dtledger.types import ZERO_ADDRESS, Period
from dtledger.vocabulary import Action, Cause, Finding, Kind, Purpose, Reason
from tests.ledger.bench import Bench, digest, who

ANN, CLINICIAN, HOSPITAL, GATEWAY = (who(name).address for name in ("ann", "clinician", "hospital", "gateway"))
TEXT, WORDS = digest("text"), digest("words")
LENGTH, REVIEW = 4 * 3600, 72 * 3600


@pytest.fixture
def scene(bench: Bench) -> Bench:
    """The hospital's clinician may open what ann gave the hospital to sleep; the gateway audits, of no organisation."""
    bench.enrol("hospital")
    bench.enrol("clinician", organisation="hospital")
    bench.enrol("gateway", Kind.AUDITOR)
    bench.mint("ann")
    bench.announced(calls.add_guarded_kinds(CLINICIAN, Kind.EMERGENCY.mask), "steward")
    bench.send(calls.add_guarded_kinds(CLINICIAN, Kind.EMERGENCY.mask), "steward")
    bench.grant(1, "hospital", purposes=0, actions=Action.EMERGENCY.mask)
    return bench


def opening(**changes: Any) -> Any:
    fields = {"twin": 1, "grantee": HOSPITAL, "number": 0, "cause": Cause.OVRER.value, "text": TEXT}
    return calls.open_emergency(**{**fields, **changes})


def reason(bench: Bench) -> Reason:
    """To the clinician's reading in an emergency; contract and policy say the same."""
    period = Period(1000, 1000)
    asked = Request(1, CLINICIAN, HOSPITAL, 0, Action.READ, Purpose.ETREAT, 3, period)
    now = bench.clock.at
    said = bench.ledger.check(asked, now, now)
    assert said is check(bench.view, asked, now, now)
    return said


def test_an_opening_is_told_and_remembered_and_permits_for_its_hours(scene: Bench) -> None:
    assert reason(scene) is Reason.EMERGENCY_CLOSED
    receipt = scene.send(opening(), "clinician")
    closes_at, review_by = receipt.at + LENGTH, receipt.at + REVIEW
    said = Emergency(ANN, HOSPITAL, 0, 1, Cause.OVRER, TEXT, closes_at, review_by)
    assert receipt.events == (EmergencyOpened(1, 1, CLINICIAN, said),)
    kept = Opening(
        1, Slot(ANN, 1, HOSPITAL, 0), CLINICIAN, 1, Cause.OVRER, TEXT, closes_at, review_by, receipt.block, receipt.at
    )
    assert scene.view.openings() == scene.view.unreviewed(CLINICIAN) == [scene.view.opening(1)] == [kept]
    assert scene.view.earlier(receipt.block - 1).openings() == []
    assert scene.view.earlier(receipt.block - 1).closes_at(ANN, 1, HOSPITAL, 0, CLINICIAN) == 0
    assert reason(scene) is Reason.PERMITTED
    scene.clock.advance(closes_at - scene.clock.at)
    assert reason(scene) is Reason.EMERGENCY_CLOSED


def test_an_opening_ends_with_its_grant(scene: Bench) -> None:
    scene.send(opening(), "clinician")
    scene.grant(1, "hospital", purposes=0, actions=Action.EMERGENCY.mask)
    assert reason(scene) is Reason.EMERGENCY_CLOSED
    scene.send(opening(), "clinician")
    assert reason(scene) is Reason.PERMITTED
    scene.send(calls.revoke(ANN, 1, HOSPITAL, 0), "ann")
    assert reason(scene) is Reason.REVOKED


def test_what_cannot_be_opened_is_refused_for_the_rule_s_own_reason(scene: Bench) -> None:
    scene.refuses(CannotOpenError, opening(twin=9), "clinician", reason=Reason.TWIN_UNKNOWN.value)
    scene.refuses(CannotOpenError, opening(), "ann", reason=Reason.NOT_ENROLLED.value)
    scene.refuses(CannotOpenError, opening(), "gateway", reason=Reason.NO_GRANT.value)
    scene.refuses(CannotOpenError, opening(number=1), "clinician", reason=Reason.NO_GRANT.value)
    scene.refuses(CannotOpenError, opening(), "hospital", reason=Reason.KIND.value)
    scene.send(calls.block_grantee(1, CLINICIAN), "ann")
    scene.refuses(CannotOpenError, opening(), "clinician", reason=Reason.BLOCKED.value)
    scene.send(calls.unblock_grantee(1, CLINICIAN), "ann")
    scene.send(opening(), "clinician")
    scene.refuses(CannotOpenError, opening(), "clinician", reason=Reason.PERMITTED.value)


def test_codes_and_slots_are_those_that_there_are(scene: Bench) -> None:
    for cause in (0, max(Cause) + 1):
        scene.refuses(UnknownCodeError, opening(cause=cause), "clinician", field="cause")
    scene.refuses(ContractMalformedRequestError, opening(number=8), "clinician", field="number")
    scene.refuses(ContractMalformedRequestError, opening(grantee=ZERO_ADDRESS), "clinician", field="grantee")
    scene.send(opening(cause=max(Cause)), "clinician")
    for finding in (0, max(Finding) + 1):
        scene.refuses(UnknownCodeError, calls.review_emergency(1, finding, WORDS), "gateway", field="finding")
    scene.send(calls.review_emergency(1, max(Finding), WORDS), "gateway")


def test_three_openings_may_wait_for_a_review(scene: Bench) -> None:
    for _ in range(3):
        scene.send(opening(), "clinician")
        scene.clock.advance(LENGTH)
    scene.refuses(UnreviewedError, opening(), "clinician", opener=CLINICIAN, openings=3)
    scene.send(calls.review_emergency(2, Finding.JUSTIFIED, WORDS), "gateway")
    assert [each.number for each in scene.view.unreviewed(CLINICIAN)] == [1, 3]
    scene.send(opening(), "clinician")


def test_an_auditor_of_another_organisation_reviews_once_and_late_too(scene: Bench) -> None:
    review = calls.review_emergency(1, Finding.UNJUSTIFIED, WORDS)
    scene.refuses(UnknownOpeningError, review, "gateway", opening=1)
    scene.send(opening(), "clinician")
    scene.refuses(NotReviewerError, review, "ann", caller=ANN)
    scene.refuses(NotReviewerError, review, "clinician", caller=CLINICIAN)
    scene.send(calls.set_kinds(HOSPITAL, Kind.AUDITOR.mask), "registrar")
    scene.refuses(NotReviewerError, review, "hospital", caller=HOSPITAL)
    scene.clock.advance(REVIEW)
    receipt = scene.send(review, "gateway")
    assert receipt.events == (EmergencyReviewed(1, GATEWAY, Finding.UNJUSTIFIED, WORDS),)
    assert scene.view.review(1) == Review(GATEWAY, Finding.UNJUSTIFIED, WORDS, receipt.block, receipt.at)
    assert scene.view.earlier(receipt.block - 1).review(1) is None
    scene.refuses(AlreadyReviewedError, review, "gateway", opening=1)

"""Breaking the glass, in a world in memory: the owner lets it be, a medic opens and reads, an auditor looks at it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from dtledger.client import Client, GrantState, ReviewState, Terms, publish_keyring, sleeping_terms
from dtledger.encoding import CID
from dtledger.errors import AccessDeniedError, InputError, IntegrityError
from dtledger.ledger import Slot
from dtledger.ledger.rejections.emergencies import CannotOpenError, NotReviewerError, UnreviewedError
from dtledger.snapshots.sealed_text import LONGEST
from dtledger.testing import World
from dtledger.types import Digest, Period
from dtledger.vocabulary import Action, Cause, Finding, Kind, Purpose, Reason

pytestmark = pytest.mark.slow

HOUR = 3600
WORDS = "found unconscious, no next of kin"


@dataclass(frozen=True)
class Scene:
    """An ambulance service with two medics and a clerk, an auditor elsewhere, and the grant that sleeps."""

    world: World
    ambulance: Client
    medic: Client
    colleague: Client
    clerk: Client
    auditor: Client
    slot: Slot

    def read(self, who: Client, purpose: str = "ETREAT") -> int:
        return len(who.read(self.world.twin, "glucose", purpose))


@pytest.fixture
def scene(dtledger_world: World) -> Scene:
    world = dtledger_world
    ambulance = world.join("ambulance", [Kind.EMERGENCY])
    medic, colleague = (world.join(name, [Kind.EMERGENCY], ambulance) for name in ("medic", "colleague"))
    clerk = world.join("clerk", [Kind.CLINICIAN], ambulance)
    auditor = world.join("auditor", [Kind.AUDITOR])
    publish_keyring(ambulance.context, [medic.address, colleague.address])
    slot, _ = world.patient.emergencies.let(world.twin, ambulance.address)
    return Scene(world, ambulance, medic, colleague, clerk, auditor, slot)


def test_a_grant_that_sleeps_is_all_that_is_not_sensitive_for_a_year_the_past_too(scene: Scene) -> None:
    (record,) = scene.world.patient.emergencies.grants(scene.world.twin)
    terms = scene.world.patient.consents.terms_of(record)
    assert (terms.actions, terms.purposes, terms.data.start) == ((Action.EMERGENCY,), (), 0)
    assert "glucose" in terms.categories
    assert "mental-health" not in terms.categories
    assert terms.expires_at - terms.not_before_at == 365 * 86_400


def test_whoever_opens_reads_for_its_hours_and_nobody_else(scene: Scene) -> None:
    for who in (scene.medic, scene.colleague):
        with pytest.raises(AccessDeniedError) as caught:
            scene.read(who)
        assert caught.value.reason is Reason.EMERGENCY_CLOSED
    assert [each.slot for each in scene.medic.emergencies.openable()] == [scene.slot]
    opening, _ = scene.medic.emergencies.open(scene.slot, Cause.OVRINCOMP, WORDS)
    assert scene.read(scene.medic) == len(scene.world.readings)
    with pytest.raises(AccessDeniedError) as caught:
        scene.read(scene.colleague)
    assert caught.value.reason is Reason.EMERGENCY_CLOSED
    with pytest.raises(AccessDeniedError) as caught:
        scene.read(scene.medic, "TREAT")
    assert caught.value.reason is Reason.PURPOSE
    assert opening.closes_at == scene.world.clock.at + 4 * HOUR
    scene.world.clock.advance(4 * HOUR)
    with pytest.raises(AccessDeniedError) as caught:
        scene.read(scene.medic)
    assert caught.value.reason is Reason.EMERGENCY_CLOSED


def test_custodians_ask_the_same_rule_and_their_receipts_name_the_opener(scene: Scene) -> None:
    scene.medic.emergencies.open(scene.slot, Cause.OVRER)
    scene.read(scene.medic)
    (look,) = scene.world.patient.twins.who_looked(scene.world.twin).looks
    assert (look.requester, look.grantee, look.purpose) == (
        scene.medic.address, scene.ambulance.address, Purpose.ETREAT,
    )  # fmt: skip


def test_opting_out_is_revoking_and_ends_what_is_open(scene: Scene) -> None:
    scene.medic.emergencies.open(scene.slot, Cause.OVRER)
    assert scene.read(scene.medic)
    scene.world.patient.consents.revoke(scene.slot)
    assert scene.world.patient.emergencies.grants(scene.world.twin) == []
    with pytest.raises(AccessDeniedError) as caught:
        scene.read(scene.medic)
    assert caught.value.reason is Reason.REVOKED
    scene.world.patient.emergencies.let(scene.world.twin, scene.ambulance.address)
    with pytest.raises(AccessDeniedError) as caught:
        scene.read(scene.medic)
    assert caught.value.reason is Reason.EMERGENCY_CLOSED


def test_who_is_no_emergency_member_opens_nothing(scene: Scene) -> None:
    with pytest.raises(CannotOpenError) as caught:
        scene.clerk.emergencies.open(scene.slot, Cause.OVRER)
    assert caught.value.evidence["reason"] == Reason.KIND
    assert "not of the kind" in str(caught.value)
    scene.medic.emergencies.open(scene.slot, Cause.OVRER)
    with pytest.raises(CannotOpenError, match="open already"):
        scene.medic.emergencies.open(scene.slot, Cause.OVRER)


def test_an_emergency_organisation_s_keyring_holds_its_emergency_members_alone(scene: Scene) -> None:
    with pytest.raises(InputError, match="no EMERGENCY member"):
        publish_keyring(scene.ambulance.context, [scene.medic.address, scene.clerk.address])
    publish_keyring(scene.ambulance.context, [scene.medic.address])
    publish_keyring(scene.world.hospital.context, [scene.world.clinician.address])


def test_a_grant_for_emergencies_permits_nothing_else(scene: Scene) -> None:
    now = scene.world.clock.at
    both = (Action.READ, Action.EMERGENCY)
    terms = Terms(("glucose",), (Purpose.TREAT,), both, now, now + HOUR, Period(0, now // 60))
    with pytest.raises(InputError, match="nothing but to be opened"):
        scene.world.patient.emergencies.let(scene.world.twin, scene.ambulance.address, terms)
    narrow = sleeping_terms(now, HOUR, ["glucose"], first_minute=7)
    slot, _ = scene.world.patient.emergencies.let(scene.world.twin, scene.ambulance.address, narrow)
    (record,) = [each for each in scene.world.patient.emergencies.grants(scene.world.twin) if each.slot == slot]
    assert scene.world.patient.consents.terms_of(record).categories == ("glucose",)
    assert scene.world.patient.consents.state(record) is GrantState.LIVE


# reviews -------------------------------------------------------------------------------------------------------


def test_words_are_for_the_owner_the_opener_and_those_who_may_review(scene: Scene) -> None:
    inside = scene.world.join("inside", [Kind.AUDITOR], scene.ambulance)
    opening, _ = scene.medic.emergencies.open(scene.slot, Cause.OVRER, WORDS)
    for reader in (scene.world.patient, scene.medic, scene.auditor):
        assert reader.emergencies.words(opening) == WORDS
    for other in (scene.colleague, inside, scene.world.clinician):
        assert other.emergencies.words(opening) is None
    assert WORDS.encode() not in scene.world.store.get(CID(opening.text))
    bare, _ = scene.colleague.emergencies.open(scene.slot, Cause.OVRER)
    assert scene.world.patient.emergencies.words(bare) is None


def test_words_that_were_damaged_name_their_block(scene: Scene) -> None:
    opening, _ = scene.medic.emergencies.open(scene.slot, Cause.OVRER, WORDS)
    assert scene.world.patient.emergencies.words(opening) == WORDS
    scene.world.store.damage(CID(opening.text))
    with pytest.raises(IntegrityError):
        scene.world.patient.emergencies.words(opening)


def test_words_have_an_end(scene: Scene) -> None:
    with pytest.raises(InputError, match="Make it shorter"):
        scene.medic.emergencies.open(scene.slot, Cause.OVRER, "x" * (LONGEST + 1))
    scene.medic.emergencies.open(scene.slot, Cause.OVRER, "x" * LONGEST)


def test_an_auditor_of_another_organisation_reviews(scene: Scene) -> None:
    inside = scene.world.join("inside", [Kind.AUDITOR], scene.ambulance)
    opening, _ = scene.medic.emergencies.open(scene.slot, Cause.OVRER, WORDS)
    assert [each.opening for each in scene.auditor.emergencies.reviewable()] == [opening]
    assert inside.emergencies.reviewable() == scene.medic.emergencies.reviewable() == []
    for party in (inside, scene.medic, scene.world.patient):
        with pytest.raises(NotReviewerError):
            party.emergencies.review(opening.number, Finding.JUSTIFIED)
    scene.auditor.emergencies.review(opening.number, Finding.UNJUSTIFIED, "there was time to ask")
    (told,) = scene.world.patient.emergencies.openings(scene.world.twin)
    assert told.state is ReviewState.REVIEWED
    assert told.review is not None
    assert told.review.finding == Finding.UNJUSTIFIED
    assert scene.world.patient.emergencies.found(opening.number, told.review) == "there was time to ask"
    assert scene.colleague.emergencies.found(opening.number, told.review) is None
    assert scene.auditor.emergencies.reviewable() == []


def test_there_is_an_opening_to_review(scene: Scene) -> None:
    with pytest.raises(InputError, match="no opening 1"):
        scene.auditor.emergencies.review(1, Finding.JUSTIFIED)
    scene.medic.emergencies.open(scene.slot, Cause.OVRER)
    scene.auditor.emergencies.review(1, Finding.JUSTIFIED)


def test_a_review_that_is_overdue_is_listed_and_still_made(scene: Scene) -> None:
    scene.medic.emergencies.open(scene.slot, Cause.OVRER)
    patient = scene.world.patient.emergencies
    assert patient.openings(overdue=True) == []
    scene.world.clock.advance(72 * HOUR)
    (told,) = patient.openings(overdue=True)
    assert (told.state, told.closed) == (ReviewState.OVERDUE, True)
    scene.auditor.emergencies.review(1, Finding.JUSTIFIED)
    assert [each.state for each in patient.openings()] == [ReviewState.LATE]


def test_three_that_nobody_reviewed_are_as_many_as_one_may_have(scene: Scene) -> None:
    for _ in range(3):
        scene.medic.emergencies.open(scene.slot, Cause.OVRER)
        scene.world.clock.advance(4 * HOUR)
    with pytest.raises(UnreviewedError):
        scene.medic.emergencies.open(scene.slot, Cause.OVRER)
    scene.auditor.emergencies.review(1, Finding.JUSTIFIED)
    scene.medic.emergencies.open(scene.slot, Cause.OVRER)


def test_everybody_is_shown_what_concerns_them(scene: Scene) -> None:
    scene.medic.emergencies.open(scene.slot, Cause.OVRER)
    concerned = (scene.world.patient, scene.medic, scene.colleague, scene.ambulance, scene.auditor)
    assert [len(each.emergencies.concerning()) for each in concerned] == [1] * 5
    assert scene.world.clinician.emergencies.concerning() == []
    scene.auditor.emergencies.review(1, Finding.JUSTIFIED)
    assert len(scene.auditor.emergencies.concerning()) == 1, "what one reviewed oneself"
    assert scene.auditor.emergencies.concerning(scene.world.twin + 1) == []


def test_digests_of_no_words_are_zeros(scene: Scene) -> None:
    opening, _ = scene.medic.emergencies.open(scene.slot, Cause.OVRER)
    assert opening.text == Digest(bytes(32))

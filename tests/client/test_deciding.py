"""Deciding: the grant that gets furthest is named, and owner and grantee are told the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dtledger.client import Client, Question, Terms
from dtledger.crypto.seal import SealKey
from dtledger.errors import AccessDeniedError, InputError, IntegrityError
from dtledger.ledger import Slot
from dtledger.readings import FINGERSTICK, REPEAT_OTHER_VALUE, Reading
from dtledger.testing import MemoryKey, World
from dtledger.testing.world import DAY
from dtledger.types import Period
from dtledger.vocabulary import Action, Kind, Purpose, Reason

pytestmark = pytest.mark.slow


def give(world: World, grantee: Client, **changes: Any) -> Slot:
    """A grant to read glucose to treat, for 30 days, data included from the first reading on."""
    now = world.clock.at
    said: dict[str, Any] = {
        "categories": ("glucose",),
        "purposes": (Purpose.TREAT,),
        "actions": (Action.READ,),
        "not_before_at": now,
        "expires_at": now + 30 * DAY,
        "data": Period(world.readings[0].minute, (now + 30 * DAY) // 60),
    }
    return world.patient.consents.grant(world.twin, grantee.address, Terms(**said | changes))[0]


Change = Callable[[World, Client], object]

CASES: dict[Reason, tuple[dict[str, Any], Change]] = {
    Reason.PERMITTED: ({}, give),
    Reason.SUSPENDED: ({}, lambda world, who: (give(world, who), world.operator.members.suspend(who.address))),
    Reason.BLOCKED: ({}, lambda world, who: (give(world, who), world.patient.consents.block(world.twin, who.address))),
    Reason.NO_GRANT: ({}, lambda world, who: None),
    Reason.REVOKED: ({}, lambda world, who: world.patient.consents.revoke(give(world, who))),
    Reason.NOT_YET: ({}, lambda world, who: give(world, who, not_before_at=world.clock.at + DAY)),
    Reason.EXPIRED: ({}, lambda world, who: (give(world, who), world.clock.advance(31 * DAY))),
    Reason.ACTION: ({"action": "TRAIN"}, give),
    Reason.CATEGORY: ({"category": "ecg"}, give),
    Reason.PURPOSE: ({"purpose": "HRESCH"}, give),
    Reason.PERIOD: ({"since": 0}, give),
    Reason.KIND: ({"action": "TRAIN"}, lambda world, who: give(world, who, actions=(Action.TRAIN,))),
}


@pytest.mark.parametrize("reason", CASES, ids=lambda reason: reason.name)
def test_owner_and_grantee_are_told_the_same(dtledger_world: World, reason: Reason) -> None:
    world = dtledger_world
    who = world.join("locum", [Kind.CLINICIAN])
    asked, change = CASES[reason]
    change(world, who)
    question = {"twin": world.twin, "category": "glucose", "purpose": "TREAT"} | asked
    own = who.explain(**question)
    owners = world.patient.explain(**question, who=who.address)
    assert (own.reason, own.record, own.permits) == (reason, owners.record, owners.permits)
    assert owners.reason is reason


def test_a_stranger_and_a_twin_that_is_not_there_have_their_own_reasons(dtledger_world: World) -> None:
    world = dtledger_world
    stranger = world.client(MemoryKey("stranger"))
    assert stranger.explain(world.twin, "glucose", "TREAT").reason is Reason.NOT_ENROLLED
    assert world.clinician.explain(999, "glucose", "TREAT").reason is Reason.TWIN_UNKNOWN
    assert world.patient.explain(world.twin, "glucose", "PATRQT").reason is Reason.OWNER
    assert world.clinician.explain(world.twin, "glucose", "TREAT").permits


def test_only_the_owner_asks_for_somebody_else(dtledger_world: World) -> None:
    world = dtledger_world
    with pytest.raises(AccessDeniedError):
        world.clinician.explain(world.twin, "glucose", "TREAT", who=world.gateway.address)
    decision = world.patient.explain(world.twin, "glucose", None, who=world.gateway.address, action="WRITE")
    assert decision.permits


@pytest.mark.parametrize(
    "asked",
    [
        {"purpose": None},
        {"purpose": "TREAT", "action": "WRITE"},
        {"purpose": "TREAT", "action": "EMERGENCY"},
        {"purpose": "TREAT", "category": "glucos"},
        {"purpose": "FUN"},
        {"purpose": "TREAT", "action": "LOOK"},
    ],
)
def test_what_the_rule_cannot_answer_is_no_question(dtledger_world: World, asked: dict[str, Any]) -> None:
    world = dtledger_world
    with pytest.raises(InputError):
        world.clinician.explain(**{"twin": world.twin, "category": "glucose"} | asked)
    decision = world.clinician.explain(world.twin, "glucose", "TREAT")
    assert decision
    assert decision.permits
    assert not world.clinician.explain(world.twin, "glucose", "HRESCH")


@pytest.mark.parametrize("twin", ["1", 1.0, True, None])
def test_a_twin_is_named_by_its_number_alone(dtledger_world: World, twin: Any) -> None:
    with pytest.raises(InputError, match="by its number"):
        dtledger_world.clinician.read(twin, "glucose", "TREAT")


def test_of_several_grants_the_one_that_gets_furthest_is_named(dtledger_world: World) -> None:
    world = dtledger_world
    who = world.join("locum", [Kind.CLINICIAN])
    give(world, who, actions=(Action.TRAIN,))
    nearest = give(world, who, purposes=(Purpose.CAREMGT,))
    give(world, who, categories=("meals",))
    decision = who.explain(world.twin, "glucose", "TREAT")
    assert decision.reason is Reason.PURPOSE
    assert decision.record is not None
    assert decision.record.slot == nearest


def test_a_live_grant_of_another_category_never_answers_for_the_one_asked_for(dtledger_world: World) -> None:
    """Whatever category bit 0 of the twin happens to be."""
    world = dtledger_world
    for number in range(6):
        who = world.join(f"locum-{number}", [Kind.CLINICIAN])
        give(world, who, categories=("meals",), data=Period(0, 10))
        assert who.explain(world.twin, "glucose", "TREAT").reason is Reason.CATEGORY


def test_a_member_decides_by_its_organisations_grants_too(dtledger_world: World) -> None:
    world = dtledger_world
    world.patient.consents.revoke(world.consent)
    give(world, world.hospital)
    decision = world.patient.explain(world.twin, "glucose", "TREAT", who=world.clinician.address)
    assert decision.permits
    assert decision.record is not None
    assert decision.record.slot.grantee == world.hospital.address


def test_a_read_goes_through_the_grant_that_shuts_the_least(dtledger_world: World) -> None:
    world = dtledger_world
    who = world.join("locum", [Kind.CLINICIAN])
    first, last = world.readings[0].minute, world.readings[-1].minute
    give(world, who, data=Period(first, first + 60))
    wide = give(world, who, data=Period(first + 60, last))
    readings = who.read(world.twin, "glucose", "TREAT", partial=True)
    assert {receipt.slot for receipt in readings.receipts} == {wide.number}
    assert len(readings) > 36
    assert {reason for _, reason in readings.refused} == {Reason.PERIOD}


def test_a_package_that_cannot_be_opened_hides_no_other_grant(dtledger_world: World) -> None:
    world = dtledger_world
    key = MemoryKey("locum")
    world._enrol(key, [Kind.CLINICIAN])
    who = world.client(key)
    lost = give(world, who)
    key.update(lambda held: replace(held, seal_key=SealKey.generate()))
    who.members.update(who.members.card("locum"))
    with pytest.raises(IntegrityError) as caught:
        who.read(world.twin, "glucose", "TREAT")
    assert "reseal" in caught.value.hint
    with pytest.raises(IntegrityError):
        who.explain(world.twin, "glucose", "TREAT")
    give(world, who)
    assert len(who.read(world.twin, "glucose", "TREAT")) == len(world.readings)
    world.patient.consents.reseal(lost)
    assert who.explain(world.twin, "glucose", "TREAT").permits


def test_a_question_says_what_is_wrong_with_it() -> None:
    with pytest.raises(InputError) as caught:
        Question(1, MemoryKey("ann").address, Action.READ, None, "glucose", Period(0, 0))
    assert "TREAT" in caught.value.hint


def test_a_unit_that_does_not_fit_is_refused_before_anybody_is_asked(dtledger_world: World) -> None:
    world = dtledger_world
    for wrong in ("kg", "furlongs"):
        with pytest.raises(InputError):
            world.clinician.read(world.twin, "glucose", "TREAT", unit=wrong)
    assert not any(custodian.log.entries for custodian in world.custodians)
    assert world.clinician.read(world.twin, "glucose", "TREAT", unit="MG/DL")[0].unit == "mg/dL"


def test_a_fingerstick_is_never_taken_for_the_sensors_value_that_it_equals(dtledger_world: World) -> None:
    world = dtledger_world
    sensor = world.readings[-1]
    world.patient.writer.put(world.twin, "glucose", [sensor.marked(FINGERSTICK), sensor.marked(REPEAT_OTHER_VALUE)])
    got = world.patient.read(world.twin, "glucose", "PATRQT")[-2:]
    assert [each.value for each in got] == [sensor.value] * 2
    assert [FINGERSTICK in each.quality for each in got].count(True) == 1
    assert len(world.patient.read(world.twin, "glucose", "PATRQT")) == len(world.readings) + 1


def test_a_pumps_rate_is_never_converted_into_a_dose(dtledger_world: World) -> None:
    world = dtledger_world
    at = world.readings[0].seconds
    rate, dose = Reading(at, 0.7, "[iU]/h"), Reading(at + 60, 4.0, "[iU]")
    world.patient.writer.put(world.twin, "insulin", [rate, dose])
    for unit in ("[iU]", "[iU]/h", None):
        got = world.patient.read(world.twin, "insulin", "PATRQT", unit=unit)
        assert [(each.value, each.unit) for each in got] == [(0.7, "[iU]/h"), (4.0, "[iU]")]


def test_an_owner_who_names_another_purpose_is_told_its_own(dtledger_world: World) -> None:
    world = dtledger_world
    with pytest.raises(AccessDeniedError) as refused:
        world.patient.read(world.twin, "glucose", "TREAT")
    assert refused.value.reason is Reason.NOT_ENROLLED
    assert refused.value.hint == "An owner reads its own data for the purpose PATRQT."
    assert len(world.patient.read(world.twin, "glucose", "PATRQT")) == len(world.readings)

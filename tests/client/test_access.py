"""Who looked: receipts of all custodians, request by request."""

from __future__ import annotations

import pytest

from dtledger.client import Access, Terms
from dtledger.errors import AccessDeniedError, IntegrityError, UnreachableError
from dtledger.testing import Fault, World
from dtledger.testing.world import DAY
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose, Reason


def looked(world: World) -> Access:
    return world.patient.twins.who_looked(world.twin)


def test_a_custodian_that_is_not_at_hand_may_be_silent_as_well_as_unknown(dtledger_world: World) -> None:
    context = dtledger_world.patient.context
    with pytest.raises(UnreachableError, match="does not answer, or is not known to this profile"):
        context.custodian(dtledger_world.clinician.address)
    assert context.custodian(dtledger_world.custodians[0].address)


def test_a_request_to_three_custodians_is_one_look(dtledger_world: World) -> None:
    world = dtledger_world
    world.clinician.read(world.twin, "glucose", "TREAT")
    (look,) = looked(world).looks
    assert (look.requester, look.grantee, look.slot) == (
        world.clinician.address, world.clinician.address, world.consent.number,
    )  # fmt: skip
    assert (look.purpose, look.action, look.count, look.opened, look.refused) == (
        Purpose.TREAT, Action.READ, 6, 6, {},
    )  # fmt: skip
    assert set(look.custodians) == {custodian.address for custodian in world.custodians}
    assert look.at == world.clock.at


def test_the_newest_comes_first_also_within_one_second(dtledger_world: World) -> None:
    world = dtledger_world
    world.clinician.read(world.twin, "glucose", "TREAT")
    world.patient.read(world.twin, "glucose", "PATRQT")
    world.clock.advance(5)
    world.clinician.read(world.twin, "glucose", "TREAT", since="1h")
    assert [each.requester for each in looked(world).looks] == [
        world.clinician.address, world.patient.address, world.clinician.address,
    ]  # fmt: skip


def test_what_was_refused_stands_with_its_reasons(dtledger_world: World) -> None:
    world = dtledger_world
    narrow = Period(world.readings[-12].minute, world.clock.at // 60 + 1440)
    terms = Terms(("glucose",), (Purpose.CAREMGT,), (Action.READ,), world.clock.at, world.clock.at + DAY, narrow)
    world.patient.consents.grant(world.twin, world.clinician.address, terms)
    readings = world.clinician.read(world.twin, "glucose", "CAREMGT", partial=True)
    assert {reason for _, reason in readings.refused} == {Reason.PERIOD}
    (look,) = looked(world).looks
    assert look.opened == readings.snapshots, "the client asks for what is permitted alone"


def test_a_silent_custodian_is_named_and_hides_nothing(dtledger_world: World) -> None:
    world = dtledger_world
    world.clinician.read(world.twin, "glucose", "TREAT")
    dead = world.custodians[2]
    dead.fault = Fault.DEAD
    access = looked(world)
    assert list(access.faults) == [dead.address]
    assert isinstance(access.faults[dead.address], UnreachableError)
    assert len(access.looks) == 1
    assert len(access.lists) == 2
    access.require_whole()


def test_a_list_with_a_hole_is_named_beside_the_others(dtledger_world: World) -> None:
    world = dtledger_world
    for _ in range(3):
        world.clinician.read(world.twin, "glucose", "TREAT")
    looked(world).require_whole()
    liar = world.custodians[1]
    del liar.log._by_twin[world.twin][1]
    access = looked(world)
    assert len(access.looks) == 3
    with pytest.raises(IntegrityError) as caught:
        access.require_whole()
    assert caught.value.party == liar.address


def test_receipts_of_another_twin_are_no_account_of_this_one(dtledger_world: World) -> None:
    world = dtledger_world
    other, _ = world.operator.twins.mint(world.patient.twins.request_mint())
    world.patient.twins.set_up(other, [each.address for each in world.custodians], 2)
    world.clinician.read(world.twin, "glucose", "TREAT")
    liar = world.custodians[0]
    liar.log._by_twin[other] = liar.log._by_twin[world.twin]
    faults = world.patient.twins.who_looked(other).faults
    assert isinstance(faults[liar.address], IntegrityError)


def test_a_custodian_that_left_the_roster_is_still_asked(dtledger_world: World) -> None:
    world = dtledger_world
    world.clinician.read(world.twin, "glucose", "TREAT")
    left, *stayed = (each.address for each in world.custodians)
    world.patient.twins.set_up(world.twin, stayed, 2)
    access = looked(world)
    assert set(access.lists) == {left, *stayed}
    assert list(access.lists)[-1] == left


def test_only_the_owner_sees_who_looked(dtledger_world: World) -> None:
    world = dtledger_world
    with pytest.raises(AccessDeniedError):
        world.clinician.twins.who_looked(world.twin)
    assert looked(world).looks == ()

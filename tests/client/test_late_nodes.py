"""A custodian whose node lacks the block by which its asker may: it is asked again, where it is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from dtledger.client import Readings, Terms
from dtledger.client.keyrings import ALL_TIME
from dtledger.custody import lateness
from dtledger.errors import AccessDeniedError
from dtledger.ledger import Tip
from dtledger.testing import Fault, World, WorldCustodian
from dtledger.vocabulary import Action, Purpose, Reason


class Waits:
    """Counts the pauses, and takes no time; after each `then` is done, if there is something."""

    def __init__(self) -> None:
        self.count = 0
        self.then: Callable[[], object] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.count += 1
        self.then()

    def monotonic(self) -> float:
        return self.count * lateness.PAUSE_SECONDS


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    waits = Waits()
    monkeypatch.setattr(lateness, "time", waits)
    return waits


def stop(monkeypatch: pytest.MonkeyPatch, custodians: Sequence[WorldCustodian], answers: int = 10**6) -> None:
    """Their nodes stay at the block where they are, until they were asked so often."""
    for custodian in custodians:
        kept, true, left = custodian.ledger.tip(), custodian.ledger.tip, [answers]

        def tip(kept: Tip = kept, true: Callable[[], Tip] = true, left: list[int] = left) -> Tip:
            left[0] -= 1
            return kept if left[0] >= 0 else true()

        monkeypatch.setattr(custodian.ledger, "tip", tip)


def read(world: World) -> Readings:
    return world.clinician.read(world.twin, "glucose", "TREAT")


def give(world: World, number: int) -> None:
    """Consent anew, in that of the grantee's slots."""
    now = world.clock()
    terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + 86_400, ALL_TIME)
    world.patient.consents.grant(world.twin, world.consent.grantee, terms, number)


def give_again(world: World) -> None:
    give(world, world.consent.number)


def give_elsewhere(world: World) -> None:
    """In a slot that nothing was ever given in; the consent that there was is over."""
    give(world, world.consent.number + 1)


@pytest.fixture
def world(dtledger_world: World) -> World:
    dtledger_world.patient.consents.revoke(dtledger_world.consent)
    return dtledger_world


@pytest.mark.parametrize("way", [give_again, give_elsewhere], ids=["in the slot of one that ended", "as a first"])
def test_a_read_right_after_a_grant_waits_for_the_nodes_that_lack_it(
    world: World, way: Callable[[World], None], waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(monkeypatch, world.custodians, answers=4)
    way(world)
    readings = read(world)
    assert readings
    assert readings.answered == readings.asked == 3
    assert not readings.faults
    assert 1 <= waits.count <= 4


@pytest.mark.parametrize("late", [1, 2])
def test_nobody_is_waited_for_who_is_not_needed(
    world: World, late: int, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(monkeypatch, world.custodians[:late], answers=4)
    give_elsewhere(world)
    readings = read(world)
    assert readings
    assert readings.answered == (2 if late == 1 else 3)
    assert bool(waits.count) is (late == 2)


def test_who_stays_behind_is_given_up_and_the_refusal_says_at_which_block_it_is(
    world: World, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = world.custodians[0].ledger.head().number
    stop(monkeypatch, world.custodians)
    give_elsewhere(world)
    with pytest.raises(AccessDeniedError) as caught:
        read(world)
    assert caught.value.as_of == behind
    assert f"at block {behind}, and yours at {world.ledger.head().number}" in caught.value.hint
    assert waits.count == lateness.CATCH_UP_SECONDS / lateness.PAUSE_SECONDS


def test_a_refusal_as_of_the_readers_block_is_final(world: World, waits: Waits) -> None:
    give_again(world)
    for custodian in world.custodians:
        custodian.fault = Fault.DENYING
    with pytest.raises(AccessDeniedError) as caught:
        read(world)
    assert "at block" not in caught.value.hint
    assert not waits.count


def test_what_is_revoked_while_nodes_are_waited_for_stays_shut(
    world: World, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(monkeypatch, world.custodians, answers=4)
    give_again(world)
    waits.then = lambda: waits.count == 1 and world.patient.consents.revoke(world.consent)
    with pytest.raises(AccessDeniedError) as caught:
        read(world)
    assert caught.value.reason is Reason.REVOKED


@pytest.mark.parametrize("stays", [False, True], ids=["in time", "never"])
def test_a_twin_is_set_up_right_after_its_mint_though_nodes_lack_it(
    dtledger_world: World, stays: bool, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, custodians = dtledger_world, [each.address for each in dtledger_world.custodians]
    stop(monkeypatch, world.custodians, answers=10**6 if stays else 3)
    twin, _ = world.operator.twins.mint(world.patient.twins.request_mint())
    if stays:
        with pytest.raises(AccessDeniedError):
            world.patient.twins.set_up(twin, custodians, 2)
    else:
        world.patient.twins.set_up(twin, custodians, 2)
        assert world.ledger.view().card(twin) is not None
    assert waits.count

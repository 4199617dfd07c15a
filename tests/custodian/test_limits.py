"""How much a custodian gives, and when it would rather give nothing: a stolen key is contained, an index that differs
from the contract opens nothing, and one heartbeat does for all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dtledger.custodian import Custodian, DailyLimit, LimitAtOnce, MemoryReceipts, MinuteLimit, Patience
from dtledger.custodian.core import Opened
from dtledger.custodian.limits import (
    ASKED_A_DAY,
    RECEIPTS_A_MINUTE,
    REFUSED_A_DAY,
    SNAPSHOTS_A_DAY,
    SNAPSHOTS_AT_ONCE,
)
from dtledger.custody import ReadRequest, Release, SealedShare
from dtledger.errors import AccessDeniedError, CannotCheckError, HeadTooOldError, IntegrityError, LimitPassedError
from dtledger.ledger import Slot
from dtledger.policy import Grant, MalformedRequestError, Request
from dtledger.testing import World
from dtledger.types import Head, Period
from dtledger.vocabulary import Purpose, Reason

from .asking import Desk

Limited = Callable[..., Custodian]


@pytest.fixture
def limited(world: World, desk: Desk) -> Limited:
    """The custodian as it starts anew with these limits; its log is `desk.custodian.log` no more."""

    def make(**limits: Any) -> Custodian:
        present = desk.custodian
        receipts = limits.pop("receipts", None) or MemoryReceipts()
        return Custodian(present._key, present.ledger, present._twin_keys, receipts, world.clock, **limits)

    return make


def most(world: World, spare: int) -> int:
    slot = world.consent
    grant = world.ledger.view().grant(slot.owner, slot.twin, slot.grantee, slot.number)
    return DailyLimit(spare).most(grant)


# snapshots a day -----------------------------------------------------------------------------------------------------


def exactly(world: World, snapshots: int) -> DailyLimit:
    """A limit that the world's grant reaches with so many."""
    return DailyLimit(snapshots - most(world, 0))


@pytest.mark.parametrize(
    ("minutes", "spare", "snapshots"), [(60, 0, 2), (61, 0, 4), (1, 10, 12), (30 * 1440, 1000, 2440)]
)
def test_a_day_opens_twice_the_hours_of_the_grant_and_some(minutes: int, spare: int, snapshots: int) -> None:
    assert DailyLimit(spare).most(Grant(data=Period(0, minutes - 1))) == snapshots


def test_a_grant_of_all_that_was_ever_written_has_a_limit_too() -> None:
    everything = Grant(data=Period(0, 2**30 - 1))
    assert DailyLimit().most(everything) == 50_000
    assert DailyLimit(greatest=7).most(everything) == 7


def test_what_passes_the_day_s_limit_is_refused_under_a_receipt_that_says_so(
    world: World, desk: Desk, limited: Limited
) -> None:
    custodian = limited(daily=exactly(world, 3), receipts=(log := MemoryReceipts()))
    assert len(custodian.open(desk.request(), desk.shares()).refused) == 0
    with pytest.raises(LimitPassedError, match=SNAPSHOTS_A_DAY) as caught:
        custodian.open(desk.request(), desk.shares())
    assert (caught.value.limit, caught.value.reason) == (SNAPSHOTS_A_DAY, Reason.LIMIT)
    last = log.entries[-1].receipt
    assert (last.number, last.permitted, {reason for _, reason in last.refused}) == (1, 0, {Reason.LIMIT})
    assert custodian.limits_passed == {SNAPSHOTS_A_DAY: 1}
    assert custodian.decided == {Reason.PERMITTED: 2, Reason.LIMIT: 2}
    world.clock.advance(86_401)
    assert desk.opened(custodian.open(desk.request(), desk.shares())) == 2, "a day later"


def test_the_limit_holds_over_a_restart_and_for_requests_at_one_time(
    world: World, desk: Desk, limited: Limited
) -> None:
    log, daily = MemoryReceipts(), exactly(world, 4)
    limited(daily=daily, receipts=log).open(desk.request(), desk.shares())
    custodian = limited(daily=daily, receipts=log)
    outcomes: list[str] = []

    def ask() -> None:
        try:
            custodian.open(desk.request(), desk.shares())
            outcomes.append("opened")
        except LimitPassedError:
            outcomes.append("limit")

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["limit"] * 5 + ["opened"]


def test_a_retry_is_not_counted_twice(world: World, desk: Desk, limited: Limited) -> None:
    custodian = limited(daily=exactly(world, 2))
    request, shares = desk.request(), desk.shares()
    first, again = custodian.open(request, shares), custodian.open(request, shares)
    assert (again.receipt, desk.opened(again)) == (first.receipt, 2)


def test_the_owner_s_own_reading_has_no_limit(world: World, limited: Limited) -> None:
    own = Slot(world.patient.address, world.twin, world.patient.address, 0)
    desk = Desk(world, world.patient, own)
    custodian = limited(daily=DailyLimit(0))
    for _ in range(3):
        assert desk.opened(custodian.open(desk.request(purpose=Purpose.PATRQT), desk.shares())) == 2


# requests a minute ---------------------------------------------------------------------------------------------------


def test_a_member_without_a_grant_cannot_fill_the_log(world: World, desk: Desk, limited: Limited) -> None:
    stranger = Desk(world, world.join("stranger"))
    log = MemoryReceipts()
    custodian = limited(minutely=MinuteLimit(3), receipts=log)
    for _ in range(3):
        with pytest.raises(AccessDeniedError, match="NO_CONSENT"):
            custodian.open(stranger.request(), stranger.shares())
    with pytest.raises(LimitPassedError) as caught:
        custodian.open(stranger.request(), stranger.shares())
    assert caught.value.limit == RECEIPTS_A_MINUTE
    assert len(log.entries) == 3, "before the opening, so without a receipt"
    assert desk.opened(custodian.open(desk.request(), desk.shares())) == 2, "others are not held up"
    world.clock.advance(60)
    with pytest.raises(AccessDeniedError, match="NO_CONSENT"):
        custodian.open(stranger.request(), stranger.shares())


def test_whoever_is_refused_very_many_snapshots_cannot_bury_a_twin_s_receipts(
    world: World, desk: Desk, limited: Limited
) -> None:
    """Each stands in a receipt. A patient whose list is longer than an answer may be hears of nobody who looked."""
    log = MemoryReceipts()
    custodian = limited(minutely=MinuteLimit(100, most_refused=3), receipts=log)
    wrong = {"purpose": Purpose.HRESCH}
    for _ in range(2):
        custodian.open(desk.request(**wrong), desk.shares())
    with pytest.raises(LimitPassedError) as caught:
        custodian.open(desk.request(**wrong), desk.shares())
    assert caught.value.limit == REFUSED_A_DAY
    assert [len(each.receipt.refused) for each in log.entries] == [2, 2]
    owner = Desk(world, world.patient)
    own = owner.request(grantee=world.patient.address, purpose=Purpose.PATRQT)
    assert owner.opened(custodian.open(own, owner.shares())) == 2, "others are not held up"
    world.clock.advance(86_400)
    assert desk.opened(custodian.open(desk.request(), desk.shares())) == 2


def test_an_owner_that_reads_without_end_cannot_fill_the_log(world: World, desk: Desk, limited: Limited) -> None:
    """No grant of theirs has a limit. Each receipt holds all that was asked for, and takes as long to write."""
    log = MemoryReceipts()
    custodian = limited(minutely=MinuteLimit(100, most_asked=5), receipts=log)
    owner = Desk(world, world.patient)

    def ask() -> Release:
        own = owner.request(grantee=world.patient.address, purpose=Purpose.PATRQT)
        return custodian.open(own, owner.shares())

    assert [owner.opened(ask()) for _ in range(2)] == [2, 2]
    with pytest.raises(LimitPassedError) as caught:
        ask()
    assert (caught.value.limit, len(log.entries)) == (ASKED_A_DAY, 2)
    assert desk.opened(custodian.open(desk.request(), desk.shares())) == 2, "others are not held up"
    world.clock.advance(86_400)
    assert owner.opened(ask()) == 2


def test_a_request_that_is_sent_again_and_again_counts_each_time(world: World, desk: Desk, limited: Limited) -> None:
    """It opens nothing new, leaves no receipt, and takes as long as the first."""
    custodian = limited(minutely=MinuteLimit(100, most_asked=5))
    request = desk.request()
    for _ in range(2):
        custodian.open(request, desk.shares())
    with pytest.raises(LimitPassedError):
        custodian.open(request, desk.shares())


def test_one_asker_has_no_more_than_some_snapshots_worked_on_and_others_have_theirs(
    world: World, desk: Desk, limited: Limited, monkeypatch: pytest.MonkeyPatch
) -> None:
    custodian = limited(at_once=LimitAtOnce(5))
    owner = Desk(world, world.patient)
    begun, go_on = threading.Semaphore(0), threading.Event()
    given: list[int] = []
    true = custodian._open_shares

    def slow(request: ReadRequest, shares: Sequence[SealedShare]) -> Opened:
        if threading.current_thread() in threads:
            begun.release()
            assert go_on.wait(60)
        return true(request, shares)

    def ask() -> None:
        own = owner.request(grantee=world.patient.address, purpose=Purpose.PATRQT)
        given.append(owner.opened(custodian.open(own, owner.shares())))

    monkeypatch.setattr(custodian, "_open_shares", slow)
    threads = [threading.Thread(target=ask) for _ in range(2)]
    for each in threads:
        each.start()
        assert begun.acquire(timeout=60)
    try:
        with pytest.raises(LimitPassedError) as caught:
            ask()
        assert caught.value.limit == SNAPSHOTS_AT_ONCE
        assert custodian.limits_passed == {SNAPSHOTS_AT_ONCE: 1}
        assert desk.opened(custodian.open(desk.request(), desk.shares())) == 2
    finally:
        go_on.set()
        for each in threads:
            each.join()
    ask()
    assert given == [2, 2, 2]


def test_a_request_that_fails_gives_its_place_back(world: World, desk: Desk, limited: Limited) -> None:
    custodian = limited(at_once=LimitAtOnce(1))
    with pytest.raises(IntegrityError):
        custodian.open(desk.request(), [replace(each, sealed=bytes(1200)) for each in desk.shares()])
    assert desk.opened(custodian.open(desk.request(), desk.shares())) == 2


# the contract's own word ---------------------------------------------------------------------------------------------


def test_an_index_that_differs_from_the_contract_opens_nothing(
    world: World, desk: Desk, limited: Limited, monkeypatch: pytest.MonkeyPatch
) -> None:
    custodian = limited(receipts=(log := MemoryReceipts()))
    asked: list[Request] = []

    def revoked(request: Request, earliest: int, latest: int) -> Reason:
        asked.append(request)
        return Reason.REVOKED

    monkeypatch.setattr(desk.custodian.ledger, "check", revoked)
    release = custodian.open(desk.request(), desk.shares())
    assert (desk.opened(release), {reason for _, reason in release.refused}) == (0, {Reason.REVOKED})
    assert (len(asked), custodian.disagreements) == (1, 1), "one call a request"
    assert log.entries[-1].receipt.refused == release.refused
    monkeypatch.undo()
    assert desk.opened(custodian.open(desk.request(), desk.shares())) == 2


def test_a_revocation_between_index_and_contract_is_obeyed_and_no_disagreement(
    world: World, desk: Desk, limited: Limited, monkeypatch: pytest.MonkeyPatch
) -> None:
    custodian, node = limited(), desk.custodian.ledger
    true = node.check

    def late(request: Request, earliest: int, latest: int) -> Reason:
        world.patient.consents.revoke(world.consent)
        return true(request, earliest, latest)

    monkeypatch.setattr(node, "check", late)
    release = custodian.open(desk.request(), desk.shares())
    assert (desk.opened(release), custodian.disagreements) == (0, 0)


def test_a_contract_that_takes_the_question_for_none_opens_nothing(
    desk: Desk, limited: Limited, monkeypatch: pytest.MonkeyPatch
) -> None:
    custodian = limited(receipts=(log := MemoryReceipts()))

    def malformed(request: Request, earliest: int, latest: int) -> Reason:
        raise MalformedRequestError("none")

    monkeypatch.setattr(desk.custodian.ledger, "check", malformed)
    with pytest.raises(CannotCheckError):
        custodian.open(desk.request(), desk.shares())
    assert log.entries == []
    monkeypatch.undo()
    assert desk.opened(custodian.open(desk.request(), desk.shares())) == 2


# heartbeats ----------------------------------------------------------------------------------------------------------


class Sleeper:
    """Counts waits; what happens meanwhile is `meanwhile`."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.waits: list[float] = []
        self.meanwhile = meanwhile

    def patience(self, part: float = 0.25) -> Patience:
        return Patience(1.0, lambda: part, self.wait)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.meanwhile()


def head(desk: Desk) -> Head:
    found: Head = desk.custodian.ledger.head()
    return found


def test_a_custodian_waits_part_of_a_second_and_sends_its_heartbeat(world: World, desk: Desk, limited: Limited) -> None:
    custodian = limited(patience=(sleeper := Sleeper()).patience())
    custodian.open(desk.request(), desk.shares())
    assert sleeper.waits == [], "not while the head is young"
    world.clock.advance(61)
    before = head(desk).number
    assert desk.opened(custodian.open(desk.request(), desk.shares())) == 2
    assert (sleeper.waits, head(desk).number) == ([0.25], before + 1)


def test_another_s_heartbeat_does_for_this_one(world: World, desk: Desk, limited: Limited) -> None:
    other = world.custodians[1]
    sleeper = Sleeper(lambda: other.ledger.heartbeat(other._key))
    custodian = limited(patience=sleeper.patience())
    world.clock.advance(61)
    before = head(desk).number
    assert desk.opened(custodian.open(desk.request(), desk.shares())) == 2
    assert (len(sleeper.waits), head(desk).number) == (1, before + 1), "the other's, and none of its own"


def test_a_request_that_waited_for_another_one_s_heartbeat_waits_no_longer(
    world: World, desk: Desk, limited: Limited
) -> None:
    """Else each of a hundred readers that come at once adds a wait of its own, one after another."""
    custodian = limited(patience=(sleeper := Sleeper()).patience())
    old = desk.custodian.ledger.tip()
    world.clock.advance(61)
    custodian.open(desk.request(), desk.shares())
    renewed = head(desk).number
    assert custodian._time._beat(old).head.number == renewed  # its turn comes
    assert (len(sleeper.waits), head(desk).number) == (1, renewed)


def test_a_frozen_chain_stays_frozen_however_long_it_waits(world: World, desk: Desk, limited: Limited) -> None:
    custodian = limited(patience=Sleeper().patience())
    world.clock.advance(61)
    desk.custodian.ledger.freeze()
    with pytest.raises(HeadTooOldError):
        custodian.open(desk.request(), desk.shares())
    desk.custodian.ledger.thaw()
    assert desk.opened(custodian.open(desk.request(), desk.shares())) == 2

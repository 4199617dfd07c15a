"""Which events a count cannot do without, and between which of them something may lie that nobody tells."""

from __future__ import annotations

import pytest

from dtledger.audit.counted import Gap, _gaps
from dtledger.errors import IntegrityError
from dtledger.ledger.events import Blocked, Event, Logged, Place, Unblocked
from dtledger.types import Address

WHO, TWIN = Address("0x" + "11" * 20), 7


def gaps(*events: Event) -> list[Gap]:
    """Of events that stand in the blocks 10, 20, 30, …"""
    return _gaps([Logged(Place(10 * number, 0), number, each) for number, each in enumerate(events, start=1)], ())


def blocked(count: int) -> Blocked:
    return Blocked(TWIN, WHO, count)


def unblocked(count: int) -> Unblocked:
    return Unblocked(TWIN, WHO, count)


@pytest.mark.parametrize(
    ("events", "open_"),
    [
        ((blocked(1),), []),
        ((blocked(1), unblocked(2), blocked(3)), []),
        ((unblocked(2),), [(0, 10)]),
        ((blocked(1), blocked(3)), [(10, 20)]),
        ((blocked(1), unblocked(2), unblocked(4)), [(20, 30)]),
        ((blocked(5), unblocked(6)), [(0, 10)]),
    ],
    ids=["a block", "in turn", "an unblock of none", "a block of one", "an unblock again", "a block that skips"],
)
def test_what_raises_the_count_by_two_may_be_two(events: tuple[Event, ...], open_: list[tuple[int, int]]) -> None:
    """An unblock of who is not blocked, and a block with its end, leave the same count: that a release between them was
    permitted nobody can say."""
    assert gaps(*events) == [Gap(after, before, WHO) for after, before in open_]


@pytest.mark.parametrize("events", [(blocked(1), unblocked(4)), (unblocked(4),), (blocked(3), blocked(1))])
def test_a_count_that_no_such_call_leaves_tells_of_one_that_is_left_out(events: tuple[Event, ...]) -> None:
    with pytest.raises(IntegrityError, match="is not told"):
        gaps(*events)

"""A state is what its events say, at any block, whatever else was said in between."""

from __future__ import annotations

import pytest

from dtledger.ledger import History
from dtledger.ledger.events import Dismissed, Enrolled, Event, Logged, Place, Suspended, Transfer
from dtledger.policy import Member
from dtledger.types import ZERO_ADDRESS
from tests.ledger.bench import digest, who

ANN, CLINICIAN, HOSPITAL, CLINIC = (who(name).address for name in ("ann", "clinician", "hospital", "clinic"))


def history(*told: Event) -> History:
    """Each event in a block of its own, from block 1 on."""
    made = History()
    for block, event in enumerate(told, 1):
        made.add(Logged(Place(block, 0), block * 12, event))
    return made


ENROLLED = Enrolled(CLINICIAN, HOSPITAL, 1, digest("key"))


@pytest.mark.parametrize("by", [CLINIC, ANN, CLINICIAN])
def test_a_dismissal_by_another_than_its_organisation_moves_nobody(by: str) -> None:
    told = history(ENROLLED, Dismissed(by, CLINICIAN))  # type: ignore[arg-type]
    assert told.at(2).member(CLINICIAN) == Member(1, HOSPITAL, 1)
    left = history(ENROLLED, Dismissed(HOSPITAL, CLINICIAN))
    assert left.at(2).member(CLINICIAN) == Member(1, None, 1)
    assert left.at(1).member(CLINICIAN) == Member(1, HOSPITAL, 1)


def test_a_dismissal_of_a_stranger_stops_no_reader() -> None:
    told = history(Dismissed(HOSPITAL, ANN), ENROLLED, Suspended(CLINICIAN))
    assert told.at(3).member(ANN) is None
    assert told.at(3).members() == [CLINICIAN]
    assert [told.at(block).member(CLINICIAN) for block in (1, 2, 3)] == [
        None,
        Member(1, HOSPITAL, 1),
        Member(1, HOSPITAL, 1, suspended=True),
    ]


def test_events_of_one_block_leave_its_last_state() -> None:
    told = History()
    for index, to in enumerate([ANN, CLINIC]):
        told.add(Logged(Place(1, index), 12, Transfer(ZERO_ADDRESS, to, 1)))
    assert told.at(1).owner(1) == CLINIC


@pytest.mark.parametrize("place", [Place(1, 0), Place(1, 3), Place(0, 9)])
def test_events_out_of_order_are_refused(place: Place) -> None:
    told = History()
    told.add(Logged(Place(1, 3), 12, ENROLLED))
    with pytest.raises(ValueError, match="order"):
        told.add(Logged(place, 12, Suspended(CLINICIAN)))
    told.add(Logged(Place(1, 4), 12, Suspended(CLINICIAN)))

"""A state is what its events say, at any block, whatever else was said in between."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dtledger.ledger import History, View
from dtledger.ledger.events import (
    BatchAnchored,
    Dismissed,
    Enrolled,
    Event,
    Granted,
    Logged,
    Place,
    Suspended,
    Transfer,
)
from dtledger.policy import Grant, Member
from dtledger.types import ZERO_ADDRESS
from tests.ledger.bench import digest, who

ANN, CLINICIAN, HOSPITAL, CLINIC = (who(name).address for name in ("ann", "clinician", "hospital", "clinic"))


def history(*told: Event) -> History:
    """Each event in a block of its own, from block 1 on."""
    made = History()
    for block, event in enumerate(told, 1):
        made.add(Logged(Place(block, 0), block * 12, event))
    return made


DOCTOR = who("doctor").address
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


LOOKS: dict[str, tuple[str, Callable[[View], object]]] = {
    "twins": ("owner", lambda view: view.twins_of(ANN)),
    "members": ("member", lambda view: view.members()),
    "what was received": ("owner", lambda view: view.received([DOCTOR])),
    "what was granted": ("record", lambda view: view.records(ANN, 1)),
    "writers": ("newest_batch", lambda view: view.writers(1)),
}


@pytest.mark.parametrize("name", LOOKS)
def test_whoever_looks_is_not_disturbed_by_what_comes_meanwhile(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service has one history and many threads: whoever anchors, grants or enrols must not break another's read."""
    asked, look = LOOKS[name]
    told = history(*events(1))
    view, expected = told.at(100), look(told.at(100))
    true = getattr(View, asked)
    new = iter(range(2, 100))

    def and_more_comes(self: View, *arguments: object) -> object:
        for number, event in enumerate(events(next(new))):
            block = told.logged[-1].place.block + 1 if told.logged[-1].place.block >= 1000 else 1000
            told.add(Logged(Place(block, number), 0, event))
        return true(self, *arguments)

    monkeypatch.setattr(View, asked, and_more_comes)
    assert look(view) == expected


def events(number: int) -> list[Event]:
    """A twin of Ann's, a grant to another grantee, a new member, and a batch of a new sender."""
    grantee = DOCTOR if number == 1 else who(f"grantee {number}").address
    return [
        Transfer(ZERO_ADDRESS, ANN, number),
        Granted(ANN, 1, grantee, 0, Grant(actions=1), digest("package")),
        Enrolled(who(f"member {number}").address, ZERO_ADDRESS, 0, digest("key")),
        BatchAnchored(who(f"sender {number}").address, digest("root"), 1, digest("index")),
    ]

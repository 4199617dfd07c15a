"""Requests and answers that are not what they seem, where a custodian takes part in the fraud: nobody is shown them.

Honest custodians take none of these (`tests/custodian/test_mailroom.py`); here one keeps whatever it likes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dtledger.client import Client, RequestState
from dtledger.custody import KEPT_SECONDS, MOST_REQUESTS, Letter
from dtledger.errors import AccessDeniedError, InputError, IntegrityError
from dtledger.testing import World
from dtledger.testing.clock import NOON
from dtledger.types import Digest
from dtledger.vocabulary import CATEGORIES, Action, Purpose
from tests.custodian.letters import ASK, DAY, answer, request, signed, smuggle

from .looking import move

pytestmark = pytest.mark.slow


@pytest.fixture
def doctor(world: World) -> Client:
    return world.join("doctor")


@pytest.fixture
def mallory(world: World) -> Client:
    """A member like any other, who means ill."""
    return world.join("mallory")


def shown(world: World) -> list[str]:
    return [each.id for each in world.patient.consents.addressed(world.twin).requests]


def name(letter: Letter) -> str:
    return letter.digest.hex()[:40]


NO_LETTERS: dict[str, Callable[[World, Client, Client], Letter]] = {
    "forged in another's name": lambda w, d, m: request(w, d, signer=m.context.key),
    "another's, for another twin": lambda w, d, m: replace(request(w, d), twin=w.twin + 1),
    "another's, at another time": lambda w, d, m: replace(request(w, d), at=w.clock() - 1),
    "made longer": lambda w, d, m: signed(w, replace(r := request(w, d), for_owner=r.for_owner * 2), d.context.key),
    "signed for another chain": lambda w, d, m: _elsewhere(w, d, genesis=Digest(b"\1" * 32)),
    "signed for other contracts": lambda w, d, m: _elsewhere(
        w, d, contracts=dict.fromkeys(w.ledger.deployment.contracts, m.address)
    ),
}


def _elsewhere(world: World, member: Client, **other: Any) -> Letter:
    """Good for another deployment, to which the same key belongs."""
    letter = request(world, member)
    there = replace(world.ledger.deployment, **other)
    return letter.signed(member.context.key.sign_digest(letter.to_sign(there)))


@pytest.mark.parametrize("what", NO_LETTERS)
def test_a_letter_that_is_none_names_the_custodian_that_gave_it_and_hides_no_other(
    what: str, world: World, doctor: Client, mallory: Client
) -> None:
    good = request(world, doctor)
    for each in world.custodians:
        each.leave(good)
    smuggle(world.custodians[1], world, NO_LETTERS[what](world, doctor, mallory))
    account = world.patient.consents.addressed(world.twin)
    assert [each.id for each in account.requests] == [name(good)]
    ((party, fault),) = account.faults.items()
    assert isinstance(fault, IntegrityError)
    assert party == fault.party == world.custodians[1].address


def test_what_a_custodian_hands_out_that_is_another_s_is_passed_over(
    world: World, doctor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = request(world, doctor, owner=world.operator.address)
    true = request(world, doctor)
    monkeypatch.setattr(world.custodians[0], "letters", lambda _: [foreign, true])
    account = world.patient.consents.addressed(world.twin)
    assert ([each.id for each in account.requests], account.faults) == ([name(true)], {})


def test_whoever_takes_another_s_seal_for_a_letter_of_its_own_asks_for_nothing(
    world: World, doctor: Client, mallory: Client
) -> None:
    """Its signature is good, and the words are the doctor's; but they were sealed for a letter of the doctor's."""
    true = request(world, doctor)
    stolen = signed(
        world,
        replace(request(world, mallory), for_owner=true.for_owner, for_member=true.for_member),
        mallory.context.key,
    )
    for letter in (true, stolen):
        world.custodians[0].leave(letter)
    account = world.patient.consents.addressed(world.twin)
    assert [each.id for each in account.requests] == [name(true)]
    assert set(account.faults) == {mallory.address}


BAD_CONTENTS: dict[str, dict[str, Any]] = {
    "terminal escapes": {"reason": "Please.\x1b[2K\x1b[1A"},
    "a bell": {"reason": "Please.\x07"},
    "two lines": {"reason": "Please.\ngranted: everything"},
    "text turned round": {"reason": "Please \u202egnihtyreve tnarg"},
    "hidden letters": {"reason": "Ple\u200base."},
    "a long reason": {"reason": "a" * 501},
    "no reason": {"reason": ""},
    "an unknown category": {"categories": ["soul"]},
    "a category twice": {"categories": ["glucose", "glucose"]},
    "no category": {"categories": []},
    "a number for a category": {"categories": [1]},
    "a list for a category": {"categories": [["glucose"]]},
    "an unknown purpose": {"purposes": ["FUN"]},
    "a purpose that is a list": {"purposes": [["TREAT"]]},
    "no purpose": {"purposes": []},
    "an emergency's rights": {"actions": ["READ", "EMERGENCY"]},
    "no time": {"seconds": 0},
    "time without end": {"seconds": 2**60},
    "data before time": {"data": [-1, None]},
    "data that end before they begin": {"data": [10, 9]},
    "an end without a beginning": {"data": [None, NOON // 60 + 90]},
    "data that begin after the grant": {"data": [2**32 - 1, None]},
    "something more": {"more": 1},
    "nothing": {"reason": None},
}


@pytest.mark.parametrize("what", BAD_CONTENTS)
def test_a_request_that_says_something_else_is_not_shown_and_its_member_is_named(
    what: str, world: World, doctor: Client, mallory: Client
) -> None:
    good = ASK.content(world.clock() + DAY)
    world.custodians[0].leave(request(world, mallory, good | BAD_CONTENTS[what]))
    world.custodians[0].leave(true := request(world, doctor, good))
    account = world.patient.consents.addressed(world.twin)
    assert [each.id for each in account.requests] == [name(true)]
    assert {who: str(fault.party) for who, fault in account.faults.items() if isinstance(fault, IntegrityError)} == {
        mallory.address: mallory.address
    }
    world.custodians[0].leave(mended := request(world, mallory, good))
    assert name(mended) in shown(world)


@pytest.mark.parametrize("stop", ["blocked", "suspended", "never enrolled"])
def test_a_custodian_that_keeps_what_a_stranger_asks_gets_it_before_nobody(
    stop: str, world: World, doctor: Client, mallory: Client
) -> None:
    letter = request(world, mallory)
    smuggle(world.custodians[0], world, letter)
    assert shown(world) == [name(letter)]
    if stop == "blocked":
        world.patient.consents.block(world.twin, mallory.address)
    elif stop == "suspended":
        world.operator.members.suspend(mallory.address)
    else:
        world.custodians[0].mail.change(world.twin, lambda _: [request(world, world.operator)])
    assert shown(world) == []


def test_a_custodian_that_keeps_more_than_it_should_shows_three(world: World, mallory: Client) -> None:
    letters = [request(world, mallory, at=world.clock() - 50 + number) for number in range(50)]
    smuggle(world.custodians[0], world, *letters)
    assert shown(world) == [name(each) for each in reversed(letters[-MOST_REQUESTS:])]


@pytest.mark.parametrize(("at", "count"), [(-KEPT_SECONDS, 1), (-KEPT_SECONDS - 1, 0), (120, 1), (121, 0)])
def test_what_is_older_than_a_month_or_of_tomorrow_is_not_shown(
    world: World, doctor: Client, monkeypatch: pytest.MonkeyPatch, at: int, count: int
) -> None:
    """Even if a custodian keeps it for ever."""
    monkeypatch.setattr("dtledger.custodian.mailroom.KEPT_SECONDS", 2**40)
    smuggle(world.custodians[0], world, request(world, doctor, at=world.clock() + at))
    assert len(shown(world)) == count


def test_a_request_that_was_put_in_the_place_of_another_has_another_name(world: World, mallory: Client) -> None:
    """Listed and then altered, before the answer comes: by a custodian that takes part."""
    modest = request(world, mallory)
    smuggle(world.custodians[0], world, modest)
    (listed,) = world.patient.consents.pending(world.twin)
    greedy = ASK.content(world.clock() + DAY) | {"categories": [each.name for each in CATEGORIES]}
    world.custodians[0].mail.change(world.twin, lambda _: [request(world, mallory, greedy)])
    with pytest.raises(InputError, match="no request"):
        world.patient.consents.addressed(world.twin).the(listed.id)
    world.custodians[0].mail.change(world.twin, lambda _: [modest])
    with pytest.raises(InputError, match="no request"):
        world.patient.consents.addressed(world.twin).the(listed.id[:16])  # a name that short could be made twice
    assert world.patient.consents.addressed(world.twin).the(listed.id.upper()).id == listed.id


def test_what_one_owner_was_asked_the_next_cannot_be_made_to_answer(world: World, doctor: Client) -> None:
    letter = request(world, doctor)
    smuggle(world.custodians[0], world, letter)
    (asked,) = world.patient.consents.pending(world.twin)
    heir = move(world)
    assert heir.consents.addressed(world.twin).requests == ()
    for owner in (heir, world.patient):
        with pytest.raises(AccessDeniedError):
            owner.consents.respond(asked)


# answers ----------------------------------------------------------------------------------------------------------


def test_a_yes_that_the_owner_did_not_sign_is_none(world: World, doctor: Client) -> None:
    asked = request(world, doctor)
    for each in world.custodians:
        each.leave(asked)
    smuggle(world.custodians[2], world, answer(world, asked, yes=True, signer=doctor.context.key))
    account = doctor.consents.asked()
    assert [doctor.consents.request_state(each) for each in account.requests] == [RequestState.PENDING]
    assert set(account.faults) == {world.custodians[2].address}


def test_an_answer_to_one_request_is_none_to_another(world: World, doctor: Client) -> None:
    first, second = request(world, doctor), request(world, doctor, at=world.clock() - 1)
    for letter in (first, second, answer(world, first)):
        world.custodians[0].leave(letter)
    states = {each.id: doctor.consents.request_state(each) for each in doctor.consents.asked().requests}
    assert states == {name(first): RequestState.DENIED, name(second): RequestState.PENDING}
    moved = replace(answer(world, first), about=second.digest)
    smuggle(world.custodians[1], world, moved)
    assert set(doctor.consents.asked().faults) == {world.custodians[1].address}


@pytest.mark.parametrize("first", [True, False])
def test_a_custodian_that_tells_the_older_answer_does_not_bring_it_back(
    world: World, doctor: Client, first: bool
) -> None:
    asked = request(world, doctor)
    old, new = answer(world, asked), answer(world, asked, yes=True, at=world.clock() + 1)
    liar, honest = world.custodians[0 if first else 1], world.custodians[1 if first else 0]
    smuggle(liar, world, asked, old)
    smuggle(honest, world, asked, new)
    (read,) = doctor.consents.asked().requests
    assert read.answer is not None
    assert read.answer.yes


def test_a_yes_without_a_grant_permits_nothing_and_is_not_told_as_granted(world: World, doctor: Client) -> None:
    """Not even the owner's own word: what is granted is what the ledger says."""
    asked = request(world, doctor)
    for letter in (asked, answer(world, asked, yes=True)):
        world.custodians[0].leave(letter)
    (read,) = doctor.consents.asked().requests
    assert doctor.consents.request_state(read) is RequestState.AGREED
    assert not doctor.explain(world.twin, "glucose", "TREAT").permits


# what custodians learn --------------------------------------------------------------------------------------------


def test_a_custodian_learns_neither_what_is_asked_nor_what_is_answered(world: World, doctor: Client) -> None:
    """Every letter of a kind is alike but for its parties and its time, yes or no, one category or all."""
    everything = replace(
        ASK,
        categories=tuple(each.name for each in CATEGORIES),
        purposes=tuple(Purpose),
        actions=(Action.READ, Action.TRAIN),
        reason="\u00e4" * 500,
    )
    short, long = request(world, doctor), request(world, doctor, everything.content(world.clock() + DAY))
    no, yes = answer(world, short), answer(world, short, yes=True)
    assert len({len(each.encode()) for each in (short, long)}) == 1
    assert len({len(each.encode()) for each in (no, yes)}) == 1
    words = {*(each.name.encode() for each in CATEGORIES), *(each.name.encode() for each in Purpose), b"nights"}
    for letter in (short, long, no, yes):
        assert not [word for word in words if word in letter.encode()]
    assert b"glucose" in repr(short.open(world.ledger.deployment, doctor.address, doctor.context.key.seal_key)).encode()

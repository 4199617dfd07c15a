"""What a custodian keeps between owners and those who ask: from whom, how many, for how long, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dtledger.client import Client
from dtledger.custodian import Custodian, FileLetters, MemoryReceipts, MinuteLimit
from dtledger.custodian.now import FRESHNESS
from dtledger.custody import KEPT_SECONDS, MOST_REQUESTS, Letter
from dtledger.custody.letters import MOST_ON_TWIN
from dtledger.errors import AccessDeniedError, IntegrityError, LimitPassedError
from dtledger.testing import MemoryKey, World
from dtledger.types import ZERO_DIGEST, Digest
from dtledger.vocabulary import Reason
from tests.attacks.looking import move

from .letters import answer, kept, request, signed

pytestmark = pytest.mark.slow


@pytest.fixture
def doctor(world: World) -> Client:
    return world.join("doctor")


def refused(world: World, letter: Letter, says: str) -> AccessDeniedError:
    with pytest.raises(AccessDeniedError, match=says) as caught:
        world.custodians[0].leave(letter)
    return caught.value


# from whom --------------------------------------------------------------------------------------------------------

BAD_REQUESTS: dict[str, tuple[str, Callable[[World, Client], Letter]]] = {
    "another's signature": ("not signed", lambda w, d: request(w, d, signer=w.clinician.context.key)),
    "no signature": ("not signed", lambda w, d: request(w, d).signed(b"")),
    "changed since": ("not signed", lambda w, d: replace(request(w, d), at=w.clock() + 1)),
    "as if it were an answer": ("not signed", lambda w, d: replace(request(w, d), kind="ConsentAnswer")),
    "about another letter": ("not signed", lambda w, d: request(w, d, about=Digest(bytes(31) + b"1"))),
    "a longer seal": (
        "malformed",
        lambda w, d: signed(w, replace(r := request(w, d), for_owner=r.for_owner + b"0"), d.context.key),
    ),
    "a seal of a megabyte": (
        "malformed",
        lambda w, d: signed(w, replace(request(w, d), for_owner=bytes(2**20), for_member=bytes(2**20)), d.context.key),
    ),
    "no seal": ("malformed", lambda w, d: signed(w, replace(request(w, d), for_owner=b""), d.context.key)),
    "too old": ("stale", lambda w, d: request(w, d, at=w.clock() - FRESHNESS - 1)),
    "from the future": ("stale", lambda w, d: request(w, d, at=w.clock() + FRESHNESS + 1)),
    "on another twin": ("holds nothing of twin 2", lambda w, d: request(w, d, twin=2)),
    "on a number that is none": ("malformed", lambda w, d: replace(request(w, d), twin=2**70)),
    "to another than its owner": ("another owner", lambda w, d: request(w, d, owner=w.clinician.address)),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_request_with_one_fault_is_not_kept(name: str, world: World, doctor: Client) -> None:
    says, make = BAD_REQUESTS[name]
    refused(world, make(world, doctor), says)
    assert world.custodians[0].mail.of_twin(world.twin) == []
    world.custodians[0].leave(request(world, doctor))


def test_the_bounds_of_freshness_are_kept(world: World, doctor: Client) -> None:
    for off in (-FRESHNESS, FRESHNESS):
        world.custodians[0].leave(request(world, doctor, at=world.clock() + off))


def test_whom_the_rule_does_not_know_asks_for_nothing(world: World, doctor: Client) -> None:
    nurse = world.join("nurse", organisation=world.hospital)
    world.patient.consents.block(world.twin, world.hospital.address)
    assert refused(world, request(world, nurse), "blocked").reason is Reason.BLOCKED
    world.operator.members.suspend(doctor.address)
    assert refused(world, request(world, doctor), "suspended").reason is Reason.SUSPENDED
    world.custodians[0].leave(request(world, world.gateway))


def test_a_stranger_asks_for_nothing(world: World) -> None:
    stranger = world.client(MemoryKey("stranger"))
    assert refused(world, request(world, stranger), "not an enrolled member").reason is Reason.NOT_ENROLLED


BAD_ANSWERS: dict[str, tuple[str, Callable[[World, Letter, Client], Letter]]] = {
    "by the member itself": ("not signed", lambda w, r, d: answer(w, r, yes=True, signer=d.context.key)),
    "to a request that is not here": ("no request", lambda w, r, d: answer(w, r, about=Digest(bytes(31) + b"1"))),
    "to nothing": ("malformed", lambda w, r, d: answer(w, r, about=ZERO_DIGEST)),
    "to another's request": ("no request", lambda w, r, d: answer(w, r, member=w.clinician.address)),
    "too old": ("stale", lambda w, r, d: answer(w, r, at=w.clock() - FRESHNESS - 1)),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_an_answer_with_one_fault_is_not_kept(name: str, world: World, doctor: Client) -> None:
    custodian, asked = world.custodians[0], request(world, doctor)
    custodian.leave(asked)
    says, make = BAD_ANSWERS[name]
    refused(world, make(world, asked, doctor), says)
    assert custodian.mail.of_twin(world.twin) == [asked]
    custodian.leave(good := answer(world, asked))
    assert custodian.mail.of_twin(world.twin) == [asked, good]


def test_the_newest_answer_takes_the_place_of_those_before_and_no_older_one_comes_back(
    world: World, doctor: Client
) -> None:
    custodian, asked, other = world.custodians[0], request(world, doctor), request(world, world.clinician)
    no = answer(world, asked)
    for letter in (asked, other, no, answer(world, other)):
        custodian.leave(letter)
    custodian.leave(no)  # the same again is no other
    yes = answer(world, asked, yes=True, at=world.clock() + 1)
    custodian.leave(yes)
    for late in (no, answer(world, asked, at=yes.at)):
        refused(world, late, "newer answer")
    assert [each for each in custodian.mail.of_twin(world.twin) if each.about == asked.digest] == [yes]
    assert len(custodian.mail.of_twin(world.twin)) == 4


# how many, for how long -------------------------------------------------------------------------------------------


def test_one_member_has_so_many_requests_and_no_more_and_the_same_again_counts_once(
    world: World, doctor: Client
) -> None:
    letters = [request(world, doctor) for _ in range(MOST_REQUESTS)]
    for each in (*letters, *letters):
        world.custodians[0].leave(each)
    refused(world, request(world, doctor), "asked 3 times")
    world.custodians[0].leave(request(world, world.clinician))
    world.clock.advance(KEPT_SECONDS)
    world.custodians[0].leave(request(world, doctor))


def test_all_members_together_have_so_many_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dtledger.custodian.mailroom.MOST_ON_TWIN", 4)
    members = [world.join(f"member-{number}") for number in range(5)]
    for each in members[:4]:
        world.custodians[0].leave(request(world, each))
    refused(world, request(world, members[4]), "too much was asked")
    asked = world.custodians[0].mail.of_twin(world.twin)[0]
    world.custodians[0].leave(answer(world, asked))
    assert MOST_ON_TWIN >= 10 * MOST_REQUESTS


def test_what_the_former_owner_was_asked_is_not_the_next_one_s(world: World, doctor: Client) -> None:
    for _ in range(MOST_REQUESTS):
        world.custodians[0].leave(request(world, doctor))
    heir = move(world)
    assert kept(world, world.custodians[0], heir) == kept(world, world.custodians[0], world.patient) == []
    world.custodians[0].leave(request(world, doctor, owner=heir.address))


# for whom ---------------------------------------------------------------------------------------------------------


def test_letters_go_to_their_parties_and_to_nobody_else(world: World, doctor: Client) -> None:
    custodian, asked = world.custodians[0], request(world, doctor)
    custodian.leave(asked)
    custodian.leave(said := answer(world, asked))
    assert kept(world, custodian, world.patient) == kept(world, custodian, doctor) == [asked, said]
    assert kept(world, custodian, world.clinician) == []


def test_only_the_reader_s_own_fresh_words_to_this_custodian_count(world: World, doctor: Client) -> None:
    custodian = world.custodians[0]
    custodian.leave(request(world, doctor))
    key = world.clinician.context.key
    for attempt in (
        lambda: kept(world, custodian, doctor, signer=key),
        lambda: kept(world, custodian, doctor, off=FRESHNESS + 1),
        lambda: kept(world, custodian, doctor, off=-FRESHNESS - 1),
        lambda: kept(world, custodian, doctor, said_to=world.custodians[1]),
    ):
        with pytest.raises(AccessDeniedError):
            attempt()
    assert len(kept(world, custodian, doctor, off=FRESHNESS)) == 1


def test_a_member_asks_no_more_often_than_for_snapshots(world: World, doctor: Client) -> None:
    """For each request of a member's the letters of all twins are gone through. An owner's are looked up."""
    present = world.custodians[0]
    limits = MinuteLimit(2)
    custodian: Any = Custodian(
        present._key, present.ledger, present._twin_keys, MemoryReceipts(), world.clock, minutely=limits
    )
    custodian.leave(asked := request(world, doctor))
    assert [kept(world, custodian, doctor) for _ in range(2)] == [[asked]] * 2
    with pytest.raises(LimitPassedError):
        kept(world, custodian, doctor)
    assert kept(world, custodian, world.clinician) == [], "others are not held up"
    assert [kept(world, custodian, world.patient) for _ in range(3)] == [[asked]] * 3
    world.clock.advance(60)
    assert kept(world, custodian, doctor) == [asked]


# in files ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def restarted(world: World, tmp_path: Path) -> Callable[[], Custodian]:
    """The first custodian with its letters in files, as often as it is started."""
    present = world.custodians[0]

    def start() -> Custodian:
        letters = FileLetters(tmp_path / "letters")
        return Custodian(present._key, present.ledger, present._twin_keys, MemoryReceipts(), world.clock, 60, letters)

    return start


def test_what_is_kept_in_files_outlives_a_restart(
    world: World, doctor: Client, restarted: Callable[[], Custodian], tmp_path: Path
) -> None:
    asked = request(world, doctor)
    restarted().leave(asked)
    said = answer(world, asked)
    restarted().leave(said)
    letters = FileLetters(tmp_path / "letters")
    assert letters.of_twin(world.twin) == list(letters.all()) == [asked, said]
    assert (tmp_path / "letters").stat().st_mode & 0o077 == 0
    assert letters.of_twin(999) == []


def test_of_a_member_s_letters_no_others_are_decoded(
    world: World, doctor: Client, restarted: Callable[[], Custodian], tmp_path: Path
) -> None:
    restarted().leave(asked := request(world, doctor))
    letters = FileLetters(tmp_path / "letters")
    (tmp_path / "letters" / "999.letters").write_bytes(b"of others, and nothing that can be decoded")
    assert list(letters.of_member(doctor.address)) == [asked]
    assert list(letters.of_member(world.clinician.address)) == []


def test_the_bound_holds_for_two_processes_at_once(
    world: World, doctor: Client, restarted: Callable[[], Custodian], tmp_path: Path
) -> None:
    custodians = [restarted(), restarted()]
    letters = [request(world, doctor) for _ in range(4 * MOST_REQUESTS)]

    def leave(number: int) -> bool:
        try:
            custodians[number % 2].leave(letters[number])
        except AccessDeniedError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(leave, range(len(letters)))) == MOST_REQUESTS
    assert len(FileLetters(tmp_path / "letters").of_twin(world.twin)) == MOST_REQUESTS


@pytest.mark.parametrize("damage", [b"", b"\xff", b"\x81\x01", b"\x81\x41\x80"])
def test_a_damaged_file_is_an_error_and_never_an_empty_list(
    world: World, doctor: Client, restarted: Callable[[], Custodian], tmp_path: Path, damage: bytes
) -> None:
    custodian = restarted()
    custodian.leave(request(world, doctor))
    (file,) = (tmp_path / "letters").glob("*.letters")
    good = file.read_bytes()
    file.write_bytes(damage)
    with pytest.raises(IntegrityError):
        custodian.leave(request(world, doctor))
    file.write_bytes(good)
    custodian.leave(request(world, doctor))

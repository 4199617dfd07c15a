"""`consent request`, `respond`, `list --pending` and `list --asked`."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result

from dtledger.client.devnet import OPERATOR
from dtledger.vocabulary import Kind
from tests.cli.twins import DAY, Twin, address_of, complaint, new_key, new_member, new_twin, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]

PATIENT = ("--key", "patient")
CLINICIAN = ("--key", "cardiology")
WHY = "To see your nights before we change the dose."
TREAT = ("--category", "glucose,meals", "--purpose", "TREAT", "--for", "30d", "--reason", WHY)


@pytest.fixture
def ask(dtledger: Run, twin: Twin) -> Callable[..., str]:
    """Ask as cardiology; the request's name."""

    def run(*words: object) -> str:
        told = said(
            dtledger("consent", "request", "--twin", twin.number, *TREAT, *CLINICIAN, "--yes", "--json", *words)
        )
        return str(told["request"])

    return run


def pending(dtledger: Run, twin: Twin) -> list[dict[str, Any]]:
    told = said(dtledger("consent", "list", "--pending", "--twin", twin.number, *PATIENT, "--json"))
    assert told["schema"] == "dtledger/requests/1"
    return list(told["requests"])


def asked(dtledger: Run, twin: Twin) -> dict[str, Any]:
    (request,) = said(dtledger("consent", "list", "--asked", "--twin", twin.number, *CLINICIAN, "--json"))["requests"]
    return dict(request)


def respond(dtledger: Run, twin: Twin, *words: object) -> Result:
    return dtledger("consent", "respond", "--twin", twin.number, *PATIENT, *words)


def test_a_request_is_asked_for_seen_granted_and_read_under(dtledger: Run, twin: Twin, ask: Callable[..., str]) -> None:
    name = ask("--history", "2d")
    (request,) = pending(dtledger, twin)
    assert (request["request"], request["state"], request["reason"]) == (name, "pending", WHY)
    assert (request["categories"], request["purposes"], request["actions"]) == (
        ["glucose", "meals"],
        ["TREAT"],
        ["READ"],
    )
    assert request["member"]["name"] == "cardiology"
    told = said(respond(dtledger, twin, name, "--yes", "--json"))
    assert told["schema"] == "dtledger/consent-response/1"
    assert (told["yes"], told["grant"], len(told["kept_by"])) == (True, f"{twin.number}/cardiology/0", 3)
    assert told["sent"]["gas"] > 0
    assert told["snapshots_written"] > 0
    assert pending(dtledger, twin) == []
    assert (asked(dtledger, twin)["state"], asked(dtledger, twin)["grant"]) == ("granted", told["grant"])
    words = ("--category", "glucose", "--purpose", "TREAT", "--since", "30m")
    assert dtledger("twin", "read", twin.number, *words, *CLINICIAN).exit_code == 0


def test_a_refusal_costs_nothing_is_seen_with_its_reason_and_can_become_a_grant(
    dtledger: Run, twin: Twin, ask: Callable[..., str], devnet_home: DevnetHome
) -> None:
    name = ask()
    with devnet_home.client("patient") as patient:
        before = patient.context.ledger.head().number
        told = said(respond(dtledger, twin, name, "--no", "--reason", "Not before my holidays.", "--json"))
        assert patient.context.ledger.head().number == before
    assert (told["yes"], told["request"]["state"]) == (False, "denied")
    assert pending(dtledger, twin) == []
    seen = asked(dtledger, twin)
    assert (seen["state"], seen["answer"]["yes"], seen["answer"]["reason"]) == (
        "denied",
        False,
        "Not before my holidays.",
    )
    assert respond(dtledger, twin, name, "--yes").exit_code == 0
    assert asked(dtledger, twin)["state"] == "granted"


def test_people_are_told_the_same(dtledger: Run, twin: Twin, ask: Callable[..., str]) -> None:
    words = ("consent", "request", "--twin", twin.number, *TREAT, *CLINICIAN)
    looked = dtledger(*words, "--dry-run")
    assert f"To the owner of twin {twin.number}" in looked.stderr
    assert "cardiology (hospital) may read glucose and meals" in looked.stderr
    assert f"Because: {WHY}" in looked.stderr
    assert "Nothing was signed." in looked.stderr
    assert pending(dtledger, twin) == []
    name = dtledger(*words, "--yes").stdout.split()[1]
    listed = dtledger("consent", "list", "--pending", "--twin", twin.number, *PATIENT)
    for line in (
        f"{name}  pending",
        "by cardiology (hospital)",
        f"may read glucose and meals of twin {twin.number} to treat the patient",
        "for 30 days, if it is granted now",
        f"because  {WHY}",
    ):
        assert line in listed.stdout
    (command,) = [line.split(": ", 1)[1] for line in listed.stderr.splitlines() if "To answer" in line]
    answer = shlex.split(command.replace(" (or --no)", ""))[1:]
    looked = dtledger(*answer, *PATIENT, "--dry-run")
    assert "cardiology (hospital) may read glucose and meals" in looked.stderr
    assert "Nothing was signed." in looked.stderr
    granted = dtledger(*answer, *PATIENT)
    assert f"Granted: {twin.number}/cardiology/0" in granted.stdout
    assert "3 of 3 custodians keep it" in granted.stderr
    shown = dtledger("consent", "list", "--asked", "--twin", twin.number, *CLINICIAN).stdout
    assert f"{name}  granted" in shown
    assert f"grant    {twin.number}/" in shown
    assert "No request waits" in dtledger("consent", "list", "--pending", "--twin", twin.number, *PATIENT).stderr


def test_without_a_yes_there_is_a_question_and_it_is_granted_to_nobody_unasked(
    dtledger: Run, twin: Twin, ask: Callable[..., str]
) -> None:
    name = ask()
    assert "--yes" in respond(dtledger, twin, name).stderr
    assert "--yes" in complaint(respond(dtledger, twin, name, "--json"), 2)["message"]
    assert [each["state"] for each in pending(dtledger, twin)] == ["pending"]
    assert respond(dtledger, twin, name, "--yes").exit_code == 0


def test_an_answer_narrows_with_the_options_of_a_grant(dtledger: Run, twin: Twin, ask: Callable[..., str]) -> None:
    name = ask("--history", "2d", "--action", "READ,TRAIN")
    narrowed = ("--category", "glucose", "--action", "READ", "--for", "1d", "--history", "1d", "--slot", "5")
    told = said(respond(dtledger, twin, name, "--yes", *narrowed, "--json"))
    assert (told["categories"], told["actions"], told["slot"]) == (["glucose"], ["READ"], 5)
    assert datetime.fromisoformat(told["expires_at"]).timestamp() <= time.time() + DAY
    assert datetime.fromisoformat(told["data"]["until"]) == datetime.fromisoformat(told["expires_at"]).replace(second=0)


@pytest.mark.parametrize(
    ("words", "exit_code", "says"),
    [
        (("--yes", "--category", "glucose,sleep"), 2, "more than was asked for: categories"),
        (("--yes", "--purpose", "HRESCH"), 2, "more than was asked for: purposes"),
        (("--yes", "--for", "31d"), 2, "more than was asked for: time"),
        (("--yes", "--history", "1d"), 2, "more than was asked for: data"),
        (("--yes", "--no"), 2, "--yes or --no"),
        (("--no", "--for", "1d"), 2, "no terms"),
        (("--no", "--slot", "0"), 2, "no terms"),
        (("--no", "--reason", "a\x1b[2Kb"), 2, "control characters"),
        (("--yes", *CLINICIAN), 3, "not owned by this key"),
    ],
)
def test_an_answer_with_one_fault_is_none(
    dtledger: Run, twin: Twin, ask: Callable[..., str], words: tuple[str, ...], exit_code: int, says: str
) -> None:
    name = ask()
    assert says in complaint(respond(dtledger, twin, name, *words, "--json"), exit_code)["message"]
    assert [each["state"] for each in pending(dtledger, twin)] == ["pending"]
    assert respond(dtledger, twin, name, "--no").exit_code == 0


def test_a_name_that_nobody_asked_under_answers_nothing(dtledger: Run, twin: Twin, ask: Callable[..., str]) -> None:
    name = ask()
    for wrong in (name[:-1], name[:8], "0" * 40):
        assert "no request" in complaint(respond(dtledger, twin, wrong, "--yes", "--json"), 2)["message"]
    other = new_twin(twin.home, hours=0)
    assert "no request" in complaint(respond(dtledger, other, name, "--yes", "--json"), 2)["message"]
    assert respond(dtledger, twin, name.upper(), "--no").exit_code == 0


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        (("--reason", " "), 2),
        (("--reason", "a\nb"), 2),
        (("--for", "soon"), 2),
        (("--category", "soul"), 2),
        (("--purpose", "FUN"), 2),
        (("--answer-within", "31d"), 2),
        (("--data-from", "2026-01-02", "--data-until", "2026-01-01"), 2),
        (("--twin", "999"), 3),
        (("--key", "stranger"), 3),
        (PATIENT, 3),
    ],
)
def test_a_request_with_one_fault_is_refused_before_anything_is_signed(
    dtledger: Run, twin: Twin, devnet_home: DevnetHome, words: tuple[str, ...], exit_code: int
) -> None:
    words = tuple(new_key(devnet_home) if each == "stranger" else each for each in words)
    all_words = ("consent", "request", "--twin", twin.number, *TREAT, *CLINICIAN, *words, "--yes", "--json")
    complaint(dtledger(*all_words), exit_code)
    assert pending(dtledger, twin) == []


def test_the_fourth_request_in_a_month_is_refused(dtledger: Run, twin: Twin, ask: Callable[..., str]) -> None:
    for _ in range(3):
        ask()
    words = ("consent", "request", "--twin", twin.number, *TREAT, *CLINICIAN, "--yes", "--json")
    assert "asked 3 times" in complaint(dtledger(*words), 3)["message"]
    assert len(pending(dtledger, twin)) == 3


def test_whom_the_owner_blocked_is_not_listed_and_hears_why(dtledger: Run, devnet_home: DevnetHome, twin: Twin) -> None:
    name = new_member(devnet_home, Kind.CLINICIAN)
    words = ("consent", "request", "--twin", twin.number, *TREAT, "--key", name, "--yes", "--json")
    said(dtledger(*words))
    assert len(pending(dtledger, twin)) == 1
    block = (address_of(devnet_home, name), "--twin", twin.number, *PATIENT, "--yes")
    dtledger("consent", "block", *block)
    assert pending(dtledger, twin) == []
    assert complaint(dtledger(*words), 3)["reason"] == "BLOCKED"
    dtledger("consent", "unblock", *block)
    assert len(pending(dtledger, twin)) == 1
    with devnet_home.client(OPERATOR) as operator:
        operator.members.suspend(address_of(devnet_home, name))
    assert pending(dtledger, twin) == []


def test_a_member_that_is_no_contact_is_shown_with_its_words(
    dtledger: Run, devnet_home: DevnetHome, twin: Twin
) -> None:
    name = new_member(devnet_home, Kind.CLINICIAN)
    words = ("consent", "request", "--twin", twin.number, *TREAT, "--key", name, "--yes", "--json")
    request = said(dtledger(*words))["request"]
    shown = respond(dtledger, twin, request, "--yes", "--dry-run")
    assert "none of your contacts; its six words are" in shown.stderr


def test_every_twin_of_one_s_own_is_looked_at(dtledger: Run, twin: Twin, ask: Callable[..., str]) -> None:
    name = ask()
    told = said(dtledger("consent", "list", "--pending", *PATIENT, "--json"))
    assert name in [each["request"] for each in told["requests"]]
    assert said(dtledger("consent", "respond", name, "--no", *PATIENT, "--json"))["request"]["twin"] == twin.number
    assert complaint(dtledger("consent", "list", "--pending", "--twin", twin.number, *CLINICIAN, "--json"), 3)


@pytest.mark.parametrize("words", [("--pending", "--asked"), ("--all", "--expiring", "14d"), ("--all", "--pending")])
def test_two_lists_at_once_are_none(dtledger: Run, words: tuple[str, ...]) -> None:
    assert "Choose one" in complaint(dtledger("consent", "list", *words, *PATIENT, "--json"), 2)["message"]


def test_a_custodian_whose_letters_are_broken_is_named_and_the_others_are_heard(
    dtledger: Run, devnet_home: DevnetHome, twin: Twin, ask: Callable[..., str]
) -> None:
    name = ask()
    broken, *others = devnet_home.home.custodians.glob(f"*/letters-*/{twin.number}.letters")
    assert len(others) == 2
    good = broken.read_bytes()
    broken.write_bytes(b"")
    try:
        told = said(dtledger("consent", "list", "--pending", "--twin", twin.number, *PATIENT, "--json"))
        (warning,) = told["warnings"]
        assert f"letters of {broken.parent.parent.name} (0x" in warning
        assert [each["request"] for each in told["requests"]] == [name]
        answered = respond(dtledger, twin, name, "--no")
        assert "2 of 3 custodians keep it" in answered.stderr
        assert warning in answered.stderr
    finally:
        broken.write_bytes(good)

"""`consent list`, `show` and `explain`."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from dtledger.types import Period
from dtledger.vocabulary import Action, Kind, Purpose
from tests.cli.twins import DAY, Twin, address_of, complaint, new_key, new_member, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]

TREAT = ("--category", "glucose", "--purpose", "TREAT")
PATIENT = ("--key", "patient")


# list and show ---------------------------------------------------------------------------------------------------


def test_the_list_tells_live_sleeping_ended_and_with_all_revoked(dtledger: Run, twin: Twin) -> None:
    now = int(time.time())
    data = Period(0, now // 60)
    twin.grant()
    twin.grant(not_before_at=now + DAY, expires_at=now + 2 * DAY, data=data)
    revoked = twin.grant()
    ended = twin.grant(not_before_at=now - 200, expires_at=now - 100, data=data)
    dtledger("consent", "revoke", f"{twin.number}/cardiology/{revoked.number}", *PATIENT, "--yes")
    words = ("consent", "list", "--twin", twin.number, *PATIENT)
    grants = said(dtledger(*words, "--json"))["grants"]
    states = {each["slot"]: each["state"] for each in grants if each["grantee"]["name"] == "cardiology"}
    assert states == {0: "live", 1: "sleeping", ended.number: "ended"}
    assert "revoked" not in dtledger(*words).stdout
    everything = dtledger(*words, "--all")
    assert f"{twin.number}/cardiology/{revoked.number}  revoked" in " ".join(everything.stdout.split("\n"))


def test_what_ends_soon_is_listed_with_how_to_renew_it_and_nothing_that_ended_or_lasts(
    dtledger: Run, twin: Twin
) -> None:
    now = int(time.time())
    data = Period(0, now // 60)
    for ends in (now - 100, now + 13 * DAY, now + 15 * DAY):
        twin.grant(not_before_at=now - 200, expires_at=ends, data=data)
    revoked = twin.grant(expires_at=now + DAY, data=data)
    dtledger("consent", "revoke", f"{twin.number}/cardiology/{revoked.number}", *PATIENT, "--yes")
    words = ("consent", "list", "--expiring", "14d", "--twin", twin.number)
    listed = said(dtledger(*words, *PATIENT, "--json"))["grants"]
    (told,) = (each for each in listed if each["grantee"]["name"] == "cardiology")
    assert datetime.fromisoformat(told["expires_at"]).timestamp() == now + 13 * DAY
    shown = dtledger(*words, *PATIENT)
    (command,) = [
        line.split(": ", 1)[1] for line in shown.stderr.splitlines() if "To renew it" in line and "cardiology" in line
    ]
    assert dtledger(*shlex.split(command)[1:], *PATIENT, "--yes").exit_code == 0
    assert told["grant"] not in dtledger(*words, *PATIENT).stdout
    held = dtledger(*words, "--key", "cardiology")
    assert "To renew" not in held.stderr, "only an owner can"
    assert "ends so soon" in held.stderr


@pytest.mark.parametrize("length", ["soon", "0d", "-1d"])
def test_what_is_no_length_lists_nothing(dtledger: Run, length: str) -> None:
    assert dtledger("consent", "list", f"--expiring={length}", *PATIENT).exit_code == 2


def test_a_grantee_sees_what_it_holds_and_the_names_that_it_was_told(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    (held,) = said(dtledger("consent", "list", "--twin", twin.number, "--key", "cardiology", "--json"))["grants"]
    assert (held["grant"], held["categories"]) == (f"{twin.number}/cardiology/0", ["glucose"])
    stranger = dtledger("consent", "show", f"{twin.number}/cardiology/0", "--key", "gateway")
    assert "bit " in stranger.stdout
    assert "glucose" not in stranger.stdout


def test_without_a_grant_the_list_is_empty_and_says_so(dtledger: Run, devnet_home: DevnetHome) -> None:
    result = dtledger("consent", "list", "--key", new_key(devnet_home))
    assert (result.stdout, result.exit_code) == ("", 0)
    assert "no grant" in result.stderr


def test_a_grant_is_shown_in_plain_language_before_and_after_it_is_revoked(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    grant = f"{twin.number}/cardiology/0"
    shown = dtledger("consent", "show", grant, *PATIENT).stdout
    for words in ("It is in force", "read the data", "glucose in tissue", "to treat the patient (TREAT)", "30 days"):
        assert words in shown
    dtledger("consent", "revoke", grant, *PATIENT, "--yes")
    after = dtledger("consent", "show", grant, *PATIENT).stdout
    assert "It was revoked" in after
    assert "Before that it said" in after
    assert "glucose in tissue" in after
    told = said(dtledger("consent", "show", grant, *PATIENT, "--json"))
    assert (told["state"], told["before"]["categories"]) == ("revoked", ["glucose"])
    assert dtledger("consent", "show", f"{twin.number}/cardiology/6", *PATIENT).exit_code == 2


# explain ---------------------------------------------------------------------------------------------------------


def test_the_owner_is_told_what_anybody_could_do_and_why_not(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    ask = ("consent", "explain", "--twin", twin.number, "--who", "cardiology", *PATIENT, "--json")
    assert said(dtledger(*ask, *TREAT))["permits"]
    refused = said(dtledger(*ask, "--category", "glucose", "--purpose", "HRESCH"))
    assert (refused["permits"], refused["reason"], refused["grant"]) == (
        False, "PURPOSE", f"{twin.number}/cardiology/0",
    )  # fmt: skip
    assert "--purpose HRESCH" in refused["remedy"]
    assert said(dtledger(*ask, "--category", "meals", "--purpose", "TREAT"))["reason"] == "CATEGORY"
    assert said(dtledger(*ask, *TREAT, "--action", "TRAIN"))["reason"] == "ACTION"
    assert said(dtledger(*ask, *TREAT, "--since", "2020-01-01"))["reason"] == "PERIOD"
    writer = ("consent", "explain", "--twin", twin.number, "--who", "gateway", *PATIENT, "--json")
    assert said(dtledger(*writer, "--category", "glucose", "--action", "WRITE"))["permits"]


def test_a_grantee_may_ask_for_itself_alone(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    ask = ("consent", "explain", "--twin", twin.number, "--key", "cardiology", *TREAT)
    assert "permitted" in dtledger(*ask).stdout
    assert dtledger(*ask, "--who", "cardiology").exit_code == 0
    assert dtledger(*ask, "--who", "gateway").exit_code == 3


def test_a_question_without_a_purpose_is_none(dtledger: Run, twin: Twin) -> None:
    ask = ("consent", "explain", "--twin", twin.number, *PATIENT, "--category", "glucose", "--json")
    assert "purpose" in complaint(dtledger(*ask), 2)["message"]
    assert complaint(dtledger(*ask, "--action", "WRITE", "--purpose", "TREAT"), 2)
    assert said(dtledger(*ask, "--purpose", "PATRQT"))["reason"] == "OWNER"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("NOT_ENROLLED", "registrar"),
        ("NO_GRANT", "consent grant"),
        ("REVOKED", "consent grant"),
        ("NOT_YET", "wait until"),
        ("EXPIRED", "consent renew"),
        ("BLOCKED", "consent unblock"),
        ("SUSPENDED", "reinstate"),
        ("KIND", "registrar"),
        ("TWIN_UNKNOWN", "another twin"),
    ],
)
def test_every_refusal_comes_with_what_would_change_it(
    dtledger: Run, twin: Twin, devnet_home: DevnetHome, reason: str, words: str
) -> None:
    name = new_key(devnet_home) if reason == "NOT_ENROLLED" else new_member(devnet_home, Kind.CLINICIAN)
    address = address_of(devnet_home, name)
    now = int(time.time())
    action, number = ("READ", twin.number)
    if reason in ("REVOKED", "NOT_YET", "EXPIRED", "BLOCKED", "SUSPENDED", "KIND"):
        times = {"NOT_YET": (now + DAY, now + 2 * DAY), "EXPIRED": (now - 200, now - 100)}
        begins, ends = times.get(reason, (now, now + DAY))
        data = Period(now // 60 - 60, (now + 2 * DAY) // 60)
        action = "TRAIN" if reason == "KIND" else "READ"
        slot = twin.grant(
            name, not_before_at=begins, expires_at=ends, data=data, actions=(Action[action],), purposes=(Purpose.TREAT,)
        )
        with devnet_home.client("patient") as patient, devnet_home.client("operator") as operator:
            if reason == "REVOKED":
                patient.consents.revoke(slot)
            if reason == "BLOCKED":
                patient.consents.block(twin.number, address)
            if reason == "SUSPENDED":
                operator.members.suspend(address)
    if reason == "TWIN_UNKNOWN":
        number, asker = 999, ("--key", name)
    else:
        asker = ("--who", address, *PATIENT)
    told = said(dtledger("consent", "explain", "--twin", number, *asker, *TREAT, "--action", action, "--json"))
    assert told["reason"] == reason
    assert words in told["remedy"]

"""`consent revoke`, `revoke-all`, `renew`, `reseal`, `block`, `unblock`, `list`, `show` and `explain`."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from dtledger._cli.app import App
from dtledger.crypto.seal import SealKey
from dtledger.types import Period
from dtledger.vocabulary import Action, Kind, Purpose
from tests.cli.twins import DAY, Twin, address_of, complaint, copy_of, new_key, new_member, new_twin, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]

TREAT = ("--category", "glucose", "--purpose", "TREAT")
PATIENT = ("--key", "patient")


@pytest.fixture
def twin(devnet_home: DevnetHome) -> Twin:
    """A twin of the test's own, with an hour of glucose that the gateway wrote."""
    return new_twin(devnet_home, hours=1)


def reads(dtledger: Run, twin: Twin, key: str = "cardiology") -> int:
    """The exit code of a read by `key`."""
    return dtledger("twin", "read", twin.number, *TREAT, "--since", "30m", "--key", key).exit_code


# revoke ----------------------------------------------------------------------------------------------------------


def test_a_revocation_names_block_and_time_and_what_had_been_fetched(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    assert reads(dtledger, twin) == 0
    grant = f"{twin.number}/cardiology/0"
    (revoked,) = said(dtledger("consent", "revoke", grant, *PATIENT, "--yes", "--json"))["revoked"]
    assert (revoked["grant"], revoked["fetched"]["requests"]) == (grant, 1)
    assert revoked["fetched"]["snapshots"] >= 1
    assert revoked["fetched"]["last_by"]["name"] == "cardiology"
    assert revoked["sent"]["block"] > 0
    assert reads(dtledger, twin) == 3


def test_people_are_told_the_same(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    grant = f"{twin.number}/cardiology/0"
    looked = dtledger("consent", "revoke", grant, *PATIENT, "--dry-run")
    assert "cardiology (hospital) may read glucose" in looked.stderr
    assert looked.stdout == ""
    assert reads(dtledger, twin) == 0, "a dry run ends nothing"
    result = dtledger("consent", "revoke", grant, *PATIENT, "--yes")
    assert result.stdout.startswith(f"Revoked: {grant}, in block ")
    assert "not to be clawed back" in result.stderr
    assert f"The same again: dtledger consent grant --twin {twin.number} --slot 0 --to cardiology" in result.stderr


def test_nothing_fetched_is_said_too(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    result = dtledger("consent", "revoke", f"{twin.number}/cardiology/0", *PATIENT, "--yes")
    assert "Nothing had been fetched under it." in result.stderr


def test_what_is_revoked_already_is_no_error_and_sends_nothing(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    words = ("consent", "revoke", f"{twin.number}/cardiology/0", *PATIENT, "--yes", "--json")
    assert len(said(dtledger(*words))["revoked"]) == 1
    assert said(dtledger(*words))["revoked"] == []


def test_several_of_one_twin_end_in_one_transaction(dtledger: Run, twin: Twin) -> None:
    for _ in range(2):
        twin.grant()
    grants = [f"{twin.number}/cardiology/{number}" for number in range(2)]
    told = said(dtledger("consent", "revoke", *grants, *PATIENT, "--yes", "--json"))["revoked"]
    assert [each["grant"] for each in told] == grants
    assert len({each["sent"]["transaction"] for each in told}) == 1


def test_to_ends_all_that_somebody_has_on_a_twin(dtledger: Run, twin: Twin) -> None:
    for _ in range(3):
        twin.grant()
    words = ("consent", "revoke", "--to", "cardiology", "--twin", twin.number, *PATIENT, "--yes", "--json")
    assert [each["slot"] for each in said(dtledger(*words, "--slot", "1"))["revoked"]] == [1]
    assert [each["slot"] for each in said(dtledger(*words))["revoked"]] == [0, 2]
    assert "has no grant" in complaint(dtledger(*words), 2)["message"]


def test_a_grantee_may_end_its_own_grant_and_nobody_elses(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    grant = f"{twin.number}/cardiology/0"
    assert dtledger("consent", "revoke", grant, "--key", "gateway", "--yes").exit_code == 3
    (revoked,) = said(dtledger("consent", "revoke", grant, "--key", "cardiology", "--yes", "--json"))["revoked"]
    assert (revoked["fetched"], revoked["again"]) == (None, None), "only the owner knows"
    assert reads(dtledger, twin) == 3


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("{twin}/cardiology",),
        ("{twin}/cardiology/9",),
        ("{twin}/nobody/0",),
        ("{twin}/cardiology/7",),
        ("999/cardiology/0",),
        ("{twin}/cardiology/0", "--to", "cardiology"),
        ("{twin}/cardiology/0", "--slot", "1"),
    ],
)
def test_a_grant_that_is_not_one_is_refused(dtledger: Run, twin: Twin, words: tuple[str, ...]) -> None:
    named = [word.format(twin=twin.number) for word in words]
    complaint(dtledger("consent", "revoke", *named, *PATIENT, "--yes", "--json"), 2)
    twin.grant()
    assert dtledger("consent", "revoke", f"{twin.number}/cardiology/0", *PATIENT, "--yes").exit_code == 0


def test_a_grant_whose_time_is_over_has_no_command_to_give_it_again(dtledger: Run, twin: Twin) -> None:
    now = int(time.time())
    twin.grant(not_before_at=now - 7200, expires_at=now - 3600, data=Period(0, now // 60))
    (told,) = said(dtledger("consent", "list", "--twin", twin.number, *PATIENT, "--json"))["grants"][1:]
    assert told["state"] == "ended"
    (revoked,) = said(dtledger("consent", "revoke", told["grant"], *PATIENT, "--yes", "--json"))["revoked"]
    assert revoked["again"] is None


def test_what_was_revoked_stays_revoked_when_nobody_can_tell_what_was_fetched(
    dtledger: Run, twin: Twin, devnet_home: DevnetHome, tmp_path: Path
) -> None:
    twin.grant()
    assert reads(dtledger, twin) == 0
    assert reads(dtledger, twin) == 0  # of two receipts the first will be gone, whatever else ran before
    home = copy_of(devnet_home, tmp_path)
    (log,) = (home / "custodians" / "custodian-1").glob("receipts-*.log")
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[1:]))
    result = dtledger("consent", "revoke", f"{twin.number}/cardiology/0", *PATIENT, "--yes", "--home", home)
    assert result.exit_code == 0
    assert "The list of custodian-1 is broken" in result.stderr
    assert "(1 custodians gave no account)" in result.stderr
    slot = twin.grant()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DTLEDGER_STORE", f"directory:{tmp_path / 'empty'}")
        grant = f"{twin.number}/cardiology/{slot.number}"
        (told,) = said(dtledger("consent", "revoke", grant, *PATIENT, "--yes", "--json"))["revoked"]
    assert told["fetched"] is None
    assert reads(dtledger, twin) == 3


# revoke-all ------------------------------------------------------------------------------------------------------


def test_revoke_all_ends_everything_and_names_the_writers_it_stops(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    words = ("consent", "revoke-all", "--twin", twin.number, *PATIENT)
    looked = dtledger(*words, "--dry-run")
    assert f"This ends {twin.number}/gateway/0, WHICH WRITES TO THE TWIN." in looked.stderr
    assert reads(dtledger, twin) == 0
    told = said(dtledger(*words, "--yes", "--json"))
    assert [each["grant"] for each in told["writers_stopped"]] == [f"{twin.number}/gateway/0"]
    assert {each["grant"] for each in told["revoked"]} == {
        f"{twin.number}/{who}/0" for who in ("gateway", "cardiology")
    }
    assert all(each["again"] for each in told["revoked"])
    assert reads(dtledger, twin) == 3
    assert dtledger(*words, "--yes").exit_code == 0, "once more makes sure"


def test_writers_can_be_kept(dtledger: Run, twin: Twin, devnet_home: DevnetHome) -> None:
    twin.grant()
    words = ("consent", "revoke-all", "--twin", twin.number, "--keep-writers", *PATIENT)
    assert f"This keeps {twin.number}/gateway/0" in dtledger(*words, "--dry-run").stderr
    told = said(dtledger(*words, "--yes", "--json"))
    assert [each["grant"] for each in told["kept"]] == [f"{twin.number}/gateway/0"]
    assert [each["grant"] for each in told["revoked"]] == [f"{twin.number}/cardiology/0"]
    live = said(dtledger("consent", "list", "--twin", twin.number, *PATIENT, "--json"))["grants"]
    assert [each["grant"] for each in live] == [f"{twin.number}/gateway/0"]


def test_a_writer_that_gives_its_grant_back_meanwhile_stops_nothing_and_is_named(
    dtledger: Run, twin: Twin, devnet_home: DevnetHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin.grant()
    words = ("consent", "revoke-all", "--twin", twin.number, "--keep-writers", *PATIENT, "--yes")
    outrun(twin, devnet_home, monkeypatch)
    result = dtledger(*words)
    assert result.exit_code == 0
    assert f"{twin.number}/gateway/0: NOT KEPT, and adds nothing more to the twin" in result.stderr
    again = result.stderr.partition("NOT KEPT")[2].partition("The same again: dtledger ")[2].splitlines()[0]
    assert reads(dtledger, twin) == 3
    assert dtledger(*shlex.split(again), *PATIENT, "--yes").exit_code == 0
    outrun(twin, devnet_home, monkeypatch)
    told = said(dtledger(*words, "--json"))
    gateway = f"{twin.number}/gateway/0"
    assert [[each["grant"] for each in told[name]] for name in ("kept", "skipped", "writers_stopped")] == [
        [],
        [gateway],
        [gateway],
    ]
    assert [each["again"] is not None for each in told["revoked"]] == [True]


def outrun(twin: Twin, home: DevnetHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the gateway end its own grant while the patient is asked."""

    def confirm(app: App, question: str, *, yes: bool) -> None:
        monkeypatch.setattr(App, "confirm", asked)
        with home.client("gateway") as gateway:
            (received,) = [each for each in gateway.consents.received() if each.slot.twin == twin.number]
            gateway.consents.revoke(received.slot)

    asked = App.confirm
    monkeypatch.setattr(App, "confirm", confirm)


def test_only_the_owner_revokes_all(dtledger: Run, twin: Twin) -> None:
    assert dtledger("consent", "revoke-all", "--twin", twin.number, "--key", "gateway", "--yes").exit_code == 3


# renew -----------------------------------------------------------------------------------------------------------


def test_renewing_takes_data_along_that_end_with_the_grant(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    grant = f"{twin.number}/cardiology/0"
    looked = said(dtledger("consent", "renew", grant, "--for", "60d", *PATIENT, "--dry-run", "--json"))
    assert looked["sent"] is None
    told = said(dtledger("consent", "renew", grant, "--for", "60d", *PATIENT, "--yes", "--json"))
    ends = datetime.fromisoformat(told["expires_at"]).timestamp()
    assert 59 * DAY < ends - time.time() < 61 * DAY
    assert datetime.fromisoformat(told["data"]["until"]).timestamp() == ends // 60 * 60
    assert reads(dtledger, twin) == 0


def test_renewing_leaves_data_alone_that_were_given_an_end(dtledger: Run, twin: Twin) -> None:
    now = int(time.time())
    twin.grant(data=Period((now - DAY) // 60, now // 60))
    told = said(
        dtledger(
            "consent", "renew", f"{twin.number}/cardiology/0", "--until", "2040-01-01", *PATIENT, "--yes", "--json"
        )
    )
    assert datetime.fromisoformat(told["data"]["until"]).timestamp() == now // 60 * 60


def test_an_ended_grant_can_be_renewed_and_a_revoked_one_cannot(dtledger: Run, twin: Twin) -> None:
    now = int(time.time())
    twin.grant(not_before_at=now - 7200, expires_at=now - 60, data=Period((now - DAY) // 60, (now - 60) // 60))
    grant = f"{twin.number}/cardiology/0"
    assert reads(dtledger, twin) == 3
    assert dtledger("consent", "renew", grant, "--for", "1d", *PATIENT, "--yes").exit_code == 0
    assert reads(dtledger, twin) == 0
    dtledger("consent", "revoke-all", "--twin", twin.number, *PATIENT, "--yes")
    assert (
        "no grant in that slot"
        in complaint(dtledger("consent", "renew", grant, "--for", "1d", *PATIENT, "--yes", "--json"), 2)["message"]
    )


@pytest.mark.parametrize("words", [(), ("--for", "1d", "--until", "2040-01-01"), ("--until", "2020-01-01")])
def test_renewing_needs_one_time_to_come(dtledger: Run, twin: Twin, words: tuple[str, ...]) -> None:
    twin.grant()
    complaint(dtledger("consent", "renew", f"{twin.number}/cardiology/0", *words, *PATIENT, "--yes", "--json"), 2)


def test_data_cannot_be_made_to_end_before_they_begin(dtledger: Run, twin: Twin) -> None:
    now = int(time.time())
    twin.grant(not_before_at=now, expires_at=now + 9 * DAY, data=Period((now + 5 * DAY) // 60, (now + 9 * DAY) // 60))
    words = ("consent", "renew", f"{twin.number}/cardiology/0", *PATIENT, "--yes", "--json")
    assert "before they begin" in complaint(dtledger(*words, "--for", "1d"), 2)["message"]
    assert dtledger(*words, "--for", "6d").exit_code == 0


# reseal ----------------------------------------------------------------------------------------------------------


def test_a_grantee_with_a_new_key_reads_again_once_its_grant_is_sealed_anew(
    dtledger: Run, twin: Twin, devnet_home: DevnetHome
) -> None:
    name = new_member(devnet_home, Kind.CLINICIAN)
    address = address_of(devnet_home, name)
    twin.grant(name)
    assert "nothing to seal anew" in dtledger("consent", "reseal", "--twin", twin.number, *PATIENT).stderr
    with devnet_home.client(name) as member:
        member.context.key.update(lambda held: replace(held, seal_key=SealKey.generate()))  # the old one is lost
        member.members.update(member.members.card(name))
    assert reads(dtledger, twin, name) != 0, "its package is sealed to the key that is gone"
    listed = dtledger("consent", "list", "--twin", twin.number, *PATIENT)
    assert f"dtledger consent reseal {twin.number}/{address}/0" in listed.stderr
    words = ("consent", "reseal", "--twin", twin.number, *PATIENT)
    assert [each["grant"] for each in said(dtledger(*words, "--dry-run", "--json"))["grants"]] == [
        f"{twin.number}/{address}/0"
    ]
    looked = dtledger(*words, "--dry-run").stderr
    assert "six words are:" in looked
    assert "Nothing was signed." in looked
    told = said(dtledger(*words, "--yes", "--json"))
    assert told["grants"][0]["sent"]["gas"] > 0
    assert reads(dtledger, twin, name) == 0


def test_one_grant_or_all_can_be_sealed_anew_whatever_their_keys(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    one = dtledger("consent", "reseal", f"{twin.number}/cardiology/0", *PATIENT, "--yes")
    assert one.stdout == f"Resealed: {twin.number}/cardiology/0\n"
    every = said(dtledger("consent", "reseal", "--all", "--twin", twin.number, *PATIENT, "--dry-run", "--json"))
    assert len(every["grants"]) == 2
    assert dtledger("consent", "reseal", f"{twin.number}/cardiology/0", "--all", *PATIENT).exit_code == 2
    assert reads(dtledger, twin) == 0


# block and unblock -----------------------------------------------------------------------------------------------


def test_a_block_beats_every_grant_until_it_is_lifted(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    words = ("--twin", twin.number, *PATIENT)
    assert dtledger("consent", "block", "cardiology", *words, "--dry-run").exit_code == 0
    assert reads(dtledger, twin) == 0
    told = said(dtledger("consent", "block", "cardiology", *words, "--yes", "--json"))
    assert (told["blocked"], told["changed"]) == (True, True)
    assert reads(dtledger, twin) == 3
    assert said(dtledger("consent", "block", "cardiology", *words, "--yes", "--json"))["changed"] is False
    twin.grant()
    assert reads(dtledger, twin) == 3, "a later grant too"
    states = said(dtledger("consent", "list", "--twin", twin.number, *PATIENT, "--json"))["grants"]
    assert {each["state"] for each in states if each["grantee"]["name"] == "cardiology"} == {"blocked"}
    lifted = dtledger("consent", "unblock", "cardiology", *words, "--yes")
    assert f"in force again: {twin.number}/cardiology/0" in lifted.stderr
    assert reads(dtledger, twin) == 0
    assert "nothing to do" in dtledger("consent", "unblock", "cardiology", *words, "--yes").stdout


def test_blocking_somebody_without_a_grant_says_so_when_lifted(dtledger: Run, twin: Twin) -> None:
    words = ("hospital", "--twin", twin.number, *PATIENT, "--yes")
    assert dtledger("consent", "block", *words).exit_code == 0
    assert "it holds no grant" in dtledger("consent", "unblock", *words).stderr


def test_an_owner_cannot_block_itself_nor_a_stranger_anybody(
    dtledger: Run, twin: Twin, devnet_home: DevnetHome
) -> None:
    owner = address_of(devnet_home, "patient")
    assert dtledger("consent", "block", owner, "--twin", twin.number, *PATIENT, "--yes").exit_code == 2
    assert dtledger("consent", "block", owner, "--twin", twin.number, "--key", "gateway", "--yes").exit_code == 3


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

"""`consent grant`: what it opens, what it says, whom it refuses."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result

from dtledger.client import publish_keyring
from dtledger.client.devnet import OPERATOR
from dtledger.vocabulary import CATEGORIES, Kind
from tests.cli.twins import DAY, Twin, address_of, complaint, new_key, new_member, new_twin, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]

TREAT = ("--category", "glucose", "--purpose", "TREAT")


@pytest.fixture(scope="module")
def twin(devnet_home: DevnetHome) -> Twin:
    return new_twin(devnet_home)


@pytest.fixture
def grant(dtledger: Run, twin: Twin) -> Run:
    """Run ``consent grant`` on the module's twin by the patient, to cardiology unless --to is there; the last --key
    counts."""

    def run(*words: object) -> Result:
        to = () if "--to" in words else ("--to", "cardiology")
        return dtledger("consent", "grant", "--twin", twin.number, *to, "--key", "patient", *words)

    return run


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


# what it opens ---------------------------------------------------------------------------------------------------


def test_by_default_it_opens_what_comes_and_the_snapshot_under_way_but_not_the_past(grant: Run) -> None:
    told = said(grant(*TREAT, "--for", "30d", "--dry-run", "--json"))
    now = time.time()
    assert at(told["data"]["from"]) == now // 3600 * 3600
    assert now + 30 * DAY - 60 < at(told["expires_at"]) <= now + 30 * DAY
    assert at(told["data"]["until"]) == at(told["expires_at"]) // 60 * 60
    assert (told["actions"], told["purposes"], told["categories"]) == (["READ"], ["TREAT"], ["glucose"])


def test_history_adds_the_past_and_the_dry_run_lists_the_snapshots_that_are_there(grant: Run, twin: Twin) -> None:
    words = (*TREAT, "--for", "1d", "--history", "2d", "--dry-run")
    told = said(grant(*words, "--json"))
    hours = {each.seconds // 3600 for each in twin.readings}
    assert told["snapshots_written"] == len(told["snapshots"]) == len(hours)
    assert {each["writer"]["name"] for each in told["snapshots"]} == {"gateway"}
    result = grant(*words)
    assert result.stdout.count("gateway") == len(hours)
    assert f"which are {len(hours)} snapshots written already and those to come." in result.stderr


def test_all_of_history_begins_with_the_first_minute(grant: Run) -> None:
    told = said(grant(*TREAT, "--for", "1d", "--history", "all", "--dry-run", "--json"))
    assert at(told["data"]["from"]) == 0
    assert "from the very first" in told["sentence"]


def test_data_and_time_of_a_grant_are_two_things(grant: Run) -> None:
    told = said(
        grant(
            *TREAT,
            "--from",
            "2030-01-01T00:00Z",
            "--until",
            "2030-02-01T00:00Z",
            "--data-from",
            "2026-01-01T00:00Z",
            "--data-until",
            "2026-06-30T12:00Z",
            "--dry-run",
            "--json",
        )
    )
    assert (told["not_before_at"], told["expires_at"]) == ("2030-01-01T00:00:00Z", "2030-02-01T00:00:00Z")
    assert told["data"] == {"from": "2026-01-01T00:00:00Z", "until": "2026-06-30T11:59:00Z"}
    assert "none to come" in told["sentence"]


def test_a_grant_that_begins_later_opens_from_then_on(grant: Run) -> None:
    told = said(grant(*TREAT, "--from", "2030-01-01T00:30Z", "--until", "2030-02-01", "--dry-run", "--json"))
    assert told["data"]["from"] == "2030-01-01T00:00:00Z"


def test_a_day_counts_whole_in_local_time(grant: Run) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DTLEDGER_TZ", "Asia/Tokyo")
        told = said(grant(*TREAT, "--until", "2030-12-31", "--data-until", "2030-12-30", "--dry-run", "--json"))
    assert told["expires_at"] == "2030-12-31T15:00:00Z"
    assert told["data"]["until"] == "2030-12-30T14:59:00Z"


def test_all_never_takes_in_a_sensitive_category_unless_it_is_named(grant: Run) -> None:
    words = ("--purpose", "TREAT", "--for", "1d", "--dry-run", "--category", "all")
    plain = {each.name for each in CATEGORIES if not each.sensitive}
    assert set(said(grant(*words, "--json"))["categories"]) == plain
    named = grant(*words, "--category", "notes")
    assert "warning: sensitive: notes." in named.stderr
    assert set(said(grant(*words, "--category", "notes", "--json"))["categories"]) == plain | {"notes"}


# what it does ----------------------------------------------------------------------------------------------------


def test_what_was_granted_can_be_read_and_its_command_gives_the_same_again(grant: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home)
    words = (*TREAT, "--category", "meals", "--for", "30d", "--history", "1d", "--slot", "5", "--twin", twin.number)
    told = said(grant(*words, "--yes", "--json"))
    assert (told["schema"], told["grant"]) == ("dtledger/grant/1", f"{twin.number}/cardiology/5")
    assert min(told["sent"]["gas"], told["sent"]["block"]) > 0
    with devnet_home.client("cardiology") as clinician:
        assert len(clinician.read(twin.number, "glucose", "TREAT")) == len(twin.readings)


@pytest.mark.parametrize(
    "words",
    [
        ("--for", "30d"),
        ("--for", "30d", "--history", "all", "--purpose", "COC", "--action", "TRAIN"),
        ("--from", "2031-01-01", "--until", "2032-01-01"),
        ("--for", "1d", "--data-from", "2026-01-01", "--data-until", "2026-02-01"),
    ],
)
def test_the_command_that_a_revocation_prints_gives_the_same_again(
    dtledger: Run, devnet_home: DevnetHome, words: tuple[str, ...]
) -> None:
    twin = new_twin(devnet_home, hours=0)
    where = ("--twin", twin.number, "--to", "cardiology", "--category", "meals", "--key", "patient", "--yes", "--json")
    told = said(dtledger("consent", "grant", *where, *TREAT, *words))
    (revoked,) = said(dtledger("consent", "revoke", told["grant"], "--key", "patient", "--yes", "--json"))["revoked"]
    again = said(dtledger(*shlex.split(revoked["again"])[1:], "--key", "patient", "--yes", "--json"))
    for what in ("grant", "categories", "purposes", "actions", "expires_at", "data"):
        assert again[what] == told[what], what


def test_it_says_how_to_take_it_back(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home, hours=0)
    words = ("consent", "grant", "--twin", twin.number, "--to", "cardiology", *TREAT, "--for", "1h", "--key", "patient")
    result = dtledger(*words, "--yes")
    assert result.stdout == f"Granted: {twin.number}/cardiology/0\n"
    assert f"dtledger consent revoke {twin.number}/cardiology/0" in result.stderr
    assert " gas, 0x" in result.stderr
    replaced = dtledger(*words, "--slot", "0", "--dry-run")
    assert f"this replaces {twin.number}/cardiology/0" in replaced.stderr
    assert dtledger(*words, "--yes").stdout == f"Granted: {twin.number}/cardiology/1\n", "the next free slot"


def test_nothing_is_signed_before_the_question_is_answered(devnet_home: DevnetHome, twin: Twin) -> None:
    words = ["consent", "grant", "--twin", f"{twin.number}", "--to", "cardiology", *TREAT, "--for", "1h"]

    def granted() -> int:
        with devnet_home.client("patient") as patient:
            return len(patient.consents.records(twin.number))

    before = granted()
    for answer, exit_code, more in ((b"n\n", 1, 0), (b"y\n", 0, 1)):
        ours, theirs = pty.openpty()
        os.write(ours, answer)
        done = subprocess.run(
            [sys.executable, "-m", "dtledger", *words, "--key", "patient", "--home", str(devnet_home.home.root)],
            stdin=theirs, capture_output=True, text=True, check=False,
        )  # fmt: skip
        os.close(ours)
        os.close(theirs)
        assert (done.returncode, granted() - before) == (exit_code, more), done.stderr
        assert "cardiology (hospital) may read glucose" in done.stderr
        assert "Grant it?" in done.stderr


def test_where_nobody_can_answer_it_asks_for_yes(grant: Run) -> None:
    result = grant(*TREAT, "--for", "1d")
    assert result.exit_code == 2
    assert "--yes" in result.stderr


def test_a_gateway_may_be_let_in_without_a_purpose(dtledger: Run, twin: Twin) -> None:
    words = ("consent", "grant", "--twin", twin.number, "--to", "gateway", "--category", "glucose", "--key", "patient")
    told = said(dtledger(*words, "--action", "write", "--for", "1d", "--dry-run", "--json"))
    assert (told["actions"], told["purposes"], told["snapshots_written"], told["snapshots"]) == (
        ["WRITE"],
        [],
        None,
        [],
    )


# whom and what it refuses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        ((*TREAT,), 2),
        ((*TREAT, "--for", "1d", "--until", "2030-01-01"), 2),
        ((*TREAT, "--for", "1 day"), 2),
        ((*TREAT, "--for", "0d"), 2),
        ((*TREAT, "--until", "2020-01-01"), 2),
        ((*TREAT, "--until", "soon"), 2),
        ((*TREAT, "--from", "2031-01-01", "--until", "2030-01-01"), 2),
        ((*TREAT, "--for", "1d", "--history", "1d", "--data-from", "2026-01-01"), 2),
        ((*TREAT, "--for", "1d", "--data-from", "2040-01-01"), 2),
        ((*TREAT, "--for", "1d", "--slot", "8"), 2),
        (("--category", "glucose", "--for", "1d"), 2),
        (("--category", "glucose", "--purpose", "TREAT", "--action", "WRITE", "--for", "1d"), 2),
        (("--category", "everything", "--purpose", "TREAT", "--for", "1d"), 2),
        (("--purpose", "TREAT", "--for", "1d"), 2),
        ((*TREAT, "--for", "1d", "--to", "nobody"), 2),
        ((*TREAT, "--for", "1d", "--to", "0x12"), 2),
        ((*TREAT, "--for", "1d", "--to", "nobody.card.json"), 2),
        ((*TREAT, "--for", "1d", "--key", "cardiology"), 3),
        ((*TREAT, "--for", "1d", "--twin", "999"), 3),
        ((*TREAT, "--for", "1d", "--to", "0x00000000000000000000000000000000000000aa"), 6),
    ],
)
def test_a_grant_with_one_fault_is_refused_before_anything_is_signed(
    grant: Run, words: tuple[str, ...], exit_code: int
) -> None:
    complaint(grant(*words, "--yes", "--json"), exit_code)
    assert grant(*TREAT, "--for", "1d", "--dry-run").exit_code == 0


def test_who_is_not_enrolled_cannot_be_granted_to_and_is_named(grant: Run, devnet_home: DevnetHome) -> None:
    stranger = address_of(devnet_home, new_key(devnet_home))
    refused = complaint(grant(*TREAT, "--for", "1d", "--to", stranger, "--yes", "--json"), 6)
    assert stranger in refused["message"]
    assert "member" in refused["hint"]


def test_an_owner_needs_no_grant(grant: Run, devnet_home: DevnetHome) -> None:
    refused = complaint(grant(*TREAT, "--for", "1d", "--to", address_of(devnet_home, "patient"), "--yes", "--json"), 2)
    assert "PATRQT" in refused["hint"]


def test_an_address_that_is_no_contact_is_shown_with_its_words(grant: Run, devnet_home: DevnetHome) -> None:
    name = new_member(devnet_home, Kind.CLINICIAN)
    result = grant(*TREAT, "--for", "1d", "--to", address_of(devnet_home, name), "--dry-run")
    assert result.exit_code == 0
    assert "none of your contacts; its six words are" in result.stderr


@pytest.mark.parametrize("action", ["WRITE", "TRAIN"])
def test_a_kind_that_the_grantee_lacks_is_warned_of(grant: Run, devnet_home: DevnetHome, action: str) -> None:
    name = new_member(devnet_home, Kind.CLINICIAN)
    purpose = () if action == "WRITE" else ("--purpose", "HRESCH")
    words = ("--category", "glucose", *purpose, "--action", action, "--for", "1d", "--dry-run")
    assert f"which {action} needs" in grant(*words, "--to", address_of(devnet_home, name)).stderr
    fitting = new_member(devnet_home, Kind.GATEWAY, Kind.RESEARCHER)
    assert "needs" not in grant(*words, "--to", address_of(devnet_home, fitting)).stderr
    assert "needs" not in grant(*words, "--to", "hospital").stderr, "an organisation's members have kinds, not it"


def test_a_suspended_grantee_is_warned_of(grant: Run, devnet_home: DevnetHome) -> None:
    name = new_member(devnet_home, Kind.CLINICIAN)
    address = address_of(devnet_home, name)
    with devnet_home.client(OPERATOR) as operator:
        operator.members.suspend(address)
    assert "is suspended" in grant(*TREAT, "--for", "1d", "--to", address, "--dry-run").stderr
    assert "is suspended" not in grant(*TREAT, "--for", "1d", "--dry-run").stderr


def test_a_contact_with_a_new_key_is_warned_of(
    dtledger: Run, grant: Run, devnet_home: DevnetHome, tmp_path: Path
) -> None:
    from dtledger.crypto.seal import SealKey

    name = new_member(devnet_home, Kind.CLINICIAN)
    with devnet_home.client(name) as member:
        member.members.update(old := member.members.card(name))
        card = tmp_path / "old.card.json"
        card.write_bytes(old.serialise())
        assert dtledger("contact", "add", name, card, "--yes").exit_code == 0
        assert "another key" not in grant(*TREAT, "--for", "1d", "--to", name, "--dry-run").stderr
        member.context.key.update(lambda held: held.with_seal_key(SealKey.generate()))
        member.members.update(member.members.card(name))
    result = grant(*TREAT, "--for", "1d", "--to", name, "--dry-run")
    assert "has another key than the card that you have of it" in result.stderr


def test_a_card_file_says_to_whom(grant: Run, devnet_home: DevnetHome, tmp_path: Path) -> None:
    name, card = new_member(devnet_home, Kind.CLINICIAN), tmp_path / "locum.card.json"
    with devnet_home.client(name) as member:
        card.write_bytes(member.members.card(name).serialise())
        address = member.address
    told = said(grant(*TREAT, "--for", "1d", "--to", card, "--dry-run", "--json"))
    assert told["grantee"] == {"address": address, "name": name}


def test_an_organisation_without_a_keyring_is_warned_of(grant: Run, devnet_home: DevnetHome) -> None:
    clinic, nurse = new_member(devnet_home), new_key(devnet_home)
    with devnet_home.client(clinic) as organisation, devnet_home.client(nurse) as member:
        card = member.members.card(nurse, organisation.address, "a clinic")
        with devnet_home.client(OPERATOR) as operator:
            operator.members.enrol(card, [Kind.CLINICIAN], organisation.members.agree(card))
        words = (*TREAT, "--for", "1d", "--to", organisation.address, "--dry-run", "--json")
        (warning,) = said(grant(*words))["warnings"]
        assert "keyring" in warning
        publish_keyring(organisation.context, [member.address])
    assert said(grant(*words))["warnings"] == []


def test_with_json_nobody_is_asked_blindly(grant: Run) -> None:
    assert "--yes" in complaint(grant(*TREAT, "--for", "1d", "--json"), 2)["message"]


def test_all_eight_slots_can_be_full(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home, hours=0)
    first = twin.grant()
    with devnet_home.client("patient") as patient:
        record = patient.context.view().record(first)
        assert record is not None
        terms = patient.consents.terms_of(record)
        for number in range(1, 8):
            assert patient.consents.grant(twin.number, first.grantee, terms)[0].number == number
    words: tuple[Any, ...] = ("--twin", twin.number, "--to", "cardiology", *TREAT, "--for", "1d", "--key", "patient")
    assert "slots" in complaint(dtledger("consent", "grant", *words, "--yes", "--json"), 2)["message"]
    assert dtledger("consent", "grant", *words, "--slot", "3", "--yes").exit_code == 0


def test_times_are_shown_with_an_offset(grant: Run) -> None:
    told = said(grant(*TREAT, "--until", "2030-01-01T12:00Z", "--dry-run", "--json"))
    local = datetime(2030, 1, 1, 12, tzinfo=UTC).astimezone().strftime("%Y-%m-%d %H:%M %z")
    assert f"until {local}" in told["sentence"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--category", "glucos", "--purpose", "TREAT"), "Did you mean glucose? `dtledger help categories`"),
        (("--category", "xyz", "--purpose", "TREAT"), "there is no 'xyz'. `dtledger help categories`"),
        (("--category", "glucose", "--purpose", "treatt"), "Did you mean TREAT? `dtledger help purposes`"),
        (("--purpose", "TREAT"), "`dtledger help categories`"),
        ((*TREAT, "--for", "36526d"), "at most a hundred years"),
    ],
)
def test_a_slip_is_told_with_what_was_meant(words: tuple[str, ...], says: str, grant: Run) -> None:
    result = grant("--for", "3d", *words)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())
    assert said(grant("--for", "3d", "--category", "GLUCOSE", "--purpose", "treat", "--dry-run", "--json"))


# several at once -------------------------------------------------------------------------------------------------


def test_categories_purposes_and_actions_may_be_written_with_commas(grant: Run) -> None:
    words = ("--purpose", "treat,COC", "--action", "READ,train", "--for", "1d", "--dry-run", "--json")
    told = said(grant("--category", "meals, glucose", "--category", "glucose,sleep", *words))
    assert told["categories"] == ["glucose", "meals", "sleep"]
    assert (told["purposes"], told["actions"]) == (["TREAT", "COC"], ["READ", "TRAIN"])


@pytest.mark.parametrize(("written", "meant"), [("glucose,meal", "meals"), ("glucose;meals", ""), ("glucose,", "")])
def test_a_slip_among_several_is_told(grant: Run, written: str, meant: str) -> None:
    result = grant("--category", written, "--purpose", "TREAT", "--for", "1d", "--dry-run")
    assert result.exit_code == 2
    assert f"Did you mean {meant}" in result.stderr if meant else "there is no" in result.stderr


def test_the_same_to_several_is_one_transaction(dtledger: Run, grant: Run, devnet_home: DevnetHome) -> None:
    twin, name = new_twin(devnet_home), new_member(devnet_home, Kind.CLINICIAN)
    address = address_of(devnet_home, name)
    to = ("--to", "cardiology", "--to", address, "--to", "cardiology", "--twin", twin.number)
    looked = said(grant(*TREAT, "--for", "1d", *to, "--dry-run", "--json"))
    assert (looked["schema"], looked["sent"]) == ("dtledger/grants-given/1", None)
    told = said(grant(*TREAT, "--for", "1d", *to, "--yes", "--json"))
    assert [each["grant"] for each in told["grants"]] == [f"{twin.number}/cardiology/0", f"{twin.number}/{address}/0"]
    assert told["sent"]["block"] > 0
    with devnet_home.client("patient") as patient:
        view = patient.context.view()
        slots = [
            view.slots_of(patient.address, twin.number, address_of(devnet_home, who)) for who in ("cardiology", name)
        ]
        assert [each.block for records in slots for each in records] == [told["sent"]["block"]] * 2
    for who in ("cardiology", name):
        with devnet_home.client(who) as member:
            assert member.explain(twin.number, "glucose", "TREAT").permits


def test_several_are_told_one_sentence_each_and_get_no_slot_by_number(grant: Run) -> None:
    to = ("--to", "cardiology", "--to", "hospital")
    result = grant(*TREAT, "--for", "1d", *to, "--dry-run")
    assert result.stderr.count("may read glucose") == 2
    assert "--slot" in complaint(grant(*TREAT, "--for", "1d", *to, "--slot", "1", "--yes", "--json"), 2)["message"]


def test_among_several_one_that_cannot_be_granted_to_stops_all(grant: Run, devnet_home: DevnetHome) -> None:
    stranger = address_of(devnet_home, new_key(devnet_home))
    with devnet_home.client("cardiology") as clinician:
        before = len(clinician.consents.received())
        complaint(grant(*TREAT, "--for", "1d", "--to", "cardiology", "--to", stranger, "--yes", "--json"), 6)
        assert len(clinician.consents.received()) == before

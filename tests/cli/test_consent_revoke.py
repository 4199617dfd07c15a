"""`consent revoke` and `revoke-all`."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from dtledger._cli.app import App
from dtledger.types import Period
from tests.cli.twins import Twin, complaint, copy_of, reads, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]
PATIENT = ("--key", "patient")


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

"""`snapshot list`, `show` and `verify`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from dtledger._cli import main
from dtledger.encoding import CID
from dtledger.types import Digest
from tests.cli.forged import forge
from tests.cli.twins import DAY, Twin, complaint, new_key, new_twin, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]

GATEWAY = ("--key", "gateway")
PATIENT = ("--key", "patient")


@pytest.fixture
def twin(devnet_home: DevnetHome) -> Twin:
    """A twin of the test's own that the gateway may write to, and has not."""
    return new_twin(devnet_home, hours=0)


@pytest.fixture(scope="module")
def written(devnet_home: DevnetHome) -> Twin:
    """A twin with three hours of glucose. No test changes it."""
    made = new_twin(devnet_home)
    made.grant()
    return made


# list ------------------------------------------------------------------------------------------------------------


def test_the_owner_lists_every_snapshot_by_name(dtledger: Run, written: Twin) -> None:
    told = said(dtledger("snapshot", "list", "--twin", written.number, *PATIENT, "--json"))
    hours = sorted({each.seconds // 3600 for each in written.readings})
    assert told["schema"] == "dtledger/snapshots/1"
    assert [each["sequence"] for each in told["snapshots"]] == list(range(len(hours)))
    for each in told["snapshots"]:
        assert (each["category"], each["counts"], each["late"], each["writer"]["name"]) == (
            "glucose", True, False, "gateway",
        )  # fmt: skip
        assert each["size"] > 0
        assert each["anchored"]["block"] > 0
    result = dtledger("snapshot", "list", "--twin", written.number, *PATIENT)
    assert result.stdout.count("glucose") == len(hours)
    assert f"{len(hours)} snapshots." in result.stderr


def test_since_and_until_choose_by_the_data(dtledger: Run, written: Twin) -> None:
    last = datetime.fromtimestamp(written.readings[-1].seconds, UTC).isoformat()
    words = ("snapshot", "list", "--twin", written.number, "--category", "glucose", *PATIENT, "--json")
    assert len(said(dtledger(*words, "--since", last))["snapshots"]) == 1
    assert said(dtledger(*words, "--until", "2001-01-01"))["snapshots"] == []


def test_a_grantee_sees_the_names_that_its_grant_gives_and_a_stranger_only_streams(
    dtledger: Run, written: Twin, devnet_home: DevnetHome
) -> None:
    words = ("snapshot", "list", "--twin", written.number)
    named = said(dtledger(*words, "--key", "cardiology", "--json"))["snapshots"]
    assert {each["category"] for each in named} == {"glucose"}
    stranger = said(dtledger(*words, "--key", new_key(devnet_home), "--json"))["snapshots"]
    assert [each["digest"] for each in stranger] == [each["digest"] for each in named]
    assert {(each["category"], each["counts"]) for each in stranger} == {(None, None)}
    shown = dtledger(*words, "--key", "operator")
    assert "stream " in shown.stdout
    assert "right unknown" in shown.stdout
    assert "glucose" not in shown.stdout
    assert dtledger(*words, "--key", "operator", "--category", "glucose").exit_code == 3


def test_with_all_a_grantee_sees_the_streams_beside_its_own_too(
    dtledger: Run, devnet_home: DevnetHome, tmp_path: Path
) -> None:
    twin = new_twin(devnet_home, hours=1)
    twin.grant()
    file = tmp_path / "meals.csv"
    file.write_text(f"time,value (g)\n{datetime.now(UTC).isoformat(timespec='seconds')},45\n")
    assert dtledger("snapshot", "put", file, "--twin", twin.number, "--category", "meals", *GATEWAY).exit_code == 0
    words = ("snapshot", "list", "--twin", twin.number, "--key", "cardiology", "--json")
    assert {each["category"] for each in said(dtledger(*words))["snapshots"]} == {"glucose"}
    assert {each["category"] for each in said(dtledger(*words, "--all"))["snapshots"]} == {"glucose", None}


def test_a_former_grantee_has_no_names_any_more(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home, hours=1)
    slot = twin.grant()
    words = ("snapshot", "list", "--twin", twin.number, "--key", "cardiology", "--json")
    assert said(dtledger(*words))["snapshots"][0]["category"] == "glucose"
    with devnet_home.client("patient") as patient:
        patient.consents.revoke(slot)
    assert said(dtledger(*words))["snapshots"][0]["category"] is None


def test_late_snapshots_and_an_empty_twin_say_so(dtledger: Run, twin: Twin, devnet_home: DevnetHome) -> None:
    late = new_twin(devnet_home, hours=1, ago=3 * DAY)
    assert "late" in dtledger("snapshot", "list", "--twin", late.number, *PATIENT).stdout
    empty = dtledger("snapshot", "list", "--twin", twin.number, *PATIENT)
    assert (empty.stdout, empty.exit_code) == ("", 0)
    assert "more is unknown" in empty.stderr
    assert dtledger("snapshot", "list", "--twin", 999, *PATIENT).exit_code == 3


# show ------------------------------------------------------------------------------------------------------------


def test_a_snapshot_is_found_by_its_digest_its_beginning_or_its_cid(dtledger: Run, written: Twin) -> None:
    first = said(dtledger("snapshot", "list", "--twin", written.number, *PATIENT, "--json"))["snapshots"][0]
    digest = first["digest"].removeprefix("0x")
    cid = str(CID(Digest(bytes.fromhex(digest))))
    for named in (digest, f"0x{digest.upper()}", digest[:12], cid):
        told = said(dtledger("snapshot", "show", named, "--twin", written.number, *PATIENT, "--json"))
        assert (told["digest"], told["cid"], told["custody"]["threshold"]) == (first["digest"], cid, 2)
    shown = dtledger("snapshot", "show", digest, *PATIENT).stdout
    assert "2 of 3 (roster 1): custodian-1, custodian-2, custodian-3" in shown
    assert "glucose" in shown
    stranger = dtledger("snapshot", "show", digest, "--key", "operator").stdout
    assert "stream " in stranger
    assert "glucose" not in stranger


@pytest.mark.parametrize(("named", "exit_code"), [("12345", 2), ("ffffffffff", 2), ("bafynothing", 2), ("00" * 32, 6)])
def test_what_is_no_snapshot_is_refused(dtledger: Run, written: Twin, named: str, exit_code: int) -> None:
    complaint(dtledger("snapshot", "show", named, "--twin", written.number, *PATIENT, "--json"), exit_code)


def test_a_snapshot_that_is_in_the_store_and_not_anchored_cannot_be_checked(
    dtledger: Run, devnet_home: DevnetHome
) -> None:
    twin = new_twin(devnet_home, hours=1)
    digest = forge(devnet_home, twin, anchor=False)
    refused = complaint(dtledger("snapshot", "show", digest.hex(), *PATIENT, "--json"), 6)
    assert "no anchored index" in refused["message"]


# verify ----------------------------------------------------------------------------------------------------------


def test_everything_that_was_written_holds_together(dtledger: Run, written: Twin) -> None:
    told = said(dtledger("snapshot", "verify", "--twin", written.number, *PATIENT, "--json"))
    (stream,) = told["streams"]
    assert (told["passed"], stream["passed"], stream["category"]) == (True, True, "glucose")
    assert stream["snapshots"] == len({each.seconds // 3600 for each in written.readings})
    words = ("snapshot", "verify", "--twin", written.number, "--category", "glucose")
    assert dtledger(*words, "--key", "cardiology").stdout.startswith("ok  glucose by gateway: ")
    assert "right cannot be checked" in dtledger(*words[:4], "--key", "operator").stdout


def test_an_empty_twin_is_no_proof_of_anything(dtledger: Run, twin: Twin) -> None:
    result = dtledger("snapshot", "verify", "--twin", twin.number, *PATIENT)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "more is unknown" in result.stderr


def test_a_changed_block_is_named_and_a_missing_one_gives_no_verdict(
    written: Twin, devnet_home: DevnetHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with devnet_home.client("patient") as patient:
        found = next(patient.snapshots.list(written.number))[0].found
        manifest = CID(found.digest)
    blocks = Path(shutil.copytree(devnet_home.home.root / "blocks", tmp_path / "blocks"))
    (file,) = [each for each in blocks.rglob("*") if str(manifest) in each.name]
    monkeypatch.setenv("DTLEDGER_STORE", f"directory:{blocks}")
    words = ["snapshot", "verify", "--twin", f"{written.number}", *PATIENT, "--home", str(devnet_home.home.root)]
    whole = CliRunner().invoke(main, words)
    assert whole.exit_code == 0
    data = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    broken = CliRunner().invoke(main, words)
    assert broken.exit_code == 4
    assert broken.stdout.startswith("FAILED  glucose by gateway")
    assert str(manifest) in broken.stdout
    told = complaint(CliRunner().invoke(main, [*words, "--json"]), 4)
    assert told["block"] == str(manifest)
    file.unlink()
    assert CliRunner().invoke(main, words).exit_code == 6


def test_a_writer_whose_stream_does_not_follow_is_named(dtledger: Run, devnet_home: DevnetHome) -> None:
    name = new_key(devnet_home)
    twin = new_twin(devnet_home, hours=1, owner=name)
    words = ("snapshot", "verify", "--twin", twin.number, "--key", name)
    forge(devnet_home, twin, owner=name, places=1)
    assert dtledger(*words).exit_code == 0
    forge(devnet_home, twin, owner=name, places=2, torn=True)
    told = complaint(dtledger(*words, "--json"), 4)
    with devnet_home.client(name) as owner:
        assert told["party"] == owner.address
    shown = dtledger(*words)
    assert "ok  glucose by gateway" in shown.stdout, "the other stream is checked all the same"
    assert "FAILED  glucose by you" in shown.stdout
    assert "does not follow" in shown.stdout


def test_a_writer_whose_newest_index_lacks_what_an_earlier_one_had_is_named(
    dtledger: Run, devnet_home: DevnetHome
) -> None:
    name = new_key(devnet_home)
    twin = new_twin(devnet_home, hours=0, owner=name)
    words = ("snapshot", "verify", "--twin", twin.number, "--key", name)
    forge(devnet_home, twin, owner=name, places=2)
    assert dtledger(*words).exit_code == 0
    forge(devnet_home, twin, owner=name, places=1)
    told = complaint(dtledger(*words, "--json"), 4)
    assert "earlier one" in told["message"]


def test_of_two_snapshots_with_one_number_both_are_told_and_the_first_is_read(
    dtledger: Run, devnet_home: DevnetHome
) -> None:
    name = new_key(devnet_home)
    twin = new_twin(devnet_home, hours=0, owner=name)
    first = forge(devnet_home, twin, owner=name)
    second = forge(devnet_home, twin, owner=name, beside=True)
    checked = dtledger("snapshot", "verify", "--twin", twin.number, "--key", name)
    assert checked.exit_code == 0
    assert "1 snapshots, 1 doubled" in checked.stdout
    assert f"{first.hex()[:16]} in block" in checked.stdout
    (stream,) = said(dtledger("snapshot", "verify", "--twin", twin.number, "--key", name, "--json"))["streams"]
    (doubled,) = stream["doubled"]
    assert (stream["passed"], doubled["number"]) == (True, 0)
    assert (doubled["counted"]["digest"], doubled["other"]["digest"]) == (f"0x{first.hex()}", f"0x{second.hex()}")
    words = ("twin", "read", twin.number, "--category", "glucose", "--purpose", "PATRQT", "--key", name)
    read = dtledger(*words)
    assert read.exit_code == 0
    assert f"{second.hex()[:16]} in block" in read.stderr
    told = said(dtledger(*words, "--json"))
    assert told["doubled"] == [doubled]
    assert {each["snapshot"] for each in told["readings"]} == {f"0x{first.hex()}"}

"""`snapshot put`, `list`, `show` and `verify`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from dtledger import importers
from dtledger._cli import main
from dtledger._cli.snapshot.put import FORMATS
from dtledger.client.keyrings import owner_keys
from dtledger.encoding import CID, sha256
from dtledger.ledger import calls
from dtledger.readings import Reading, encode_readings
from dtledger.snapshots.staging import Staging
from dtledger.snapshots.writer import Draft, StreamHead, Target, seal_batch
from dtledger.types import ZERO_DIGEST, Digest, Period
from tests.cli.twins import DAY, Twin, complaint, new_key, new_twin, said
from tests.importers.exports import shanghai
from tests.importers.workbooks import xlsx

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


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Two hours of an export: a repeat, a gap of an hour, and times with their offset."""
    file = tmp_path / "export.csv"
    file.write_text("time,glucose (mmol/L)\n" + "".join(lines()))
    return file


def lines(unreadable: bool = False) -> list[str]:
    start = int(datetime.now(UTC).timestamp()) // 3600 * 3600 - 3 * 3600
    times = [*range(start, start + 3600, 300), *range(start + 7200, start + 10_800, 300)]
    rows = [f"{datetime.fromtimestamp(at, UTC).isoformat()},{5 + place / 10}\n" for place, at in enumerate(times)]
    return [*rows, rows[-1], *(["tomorrow,7.0\n", f"{rows[0].split(',')[0]},much\n"] if unreadable else [])]


def values(dtledger: Run, twin: Twin) -> list[float]:
    words = ("twin", "read", twin.number, "--category", "glucose", "--purpose", "PATRQT", *PATIENT, "--json")
    return [each["value"] for each in said(dtledger(*words))["readings"]]


# put -------------------------------------------------------------------------------------------------------------


def test_a_file_is_written_and_every_row_accounted_for(dtledger: Run, twin: Twin, export: Path) -> None:
    told = said(dtledger("snapshot", "put", export, "--twin", twin.number, *GATEWAY, "--json"))
    assert told["schema"] == "dtledger/put/1"
    assert (told["rows"], told["readings"], told["repeats"], len(told["gaps"])) == (25, 24, 1, 1)
    assert (told["written"], told["readings_written"], told["readings_known"]) == (2, 24, 0)
    assert len(told["sent"]) == 1
    assert told["sent"][0]["gas"] > 0
    assert len(values(dtledger, twin)) == 24


def test_put_again_it_adds_nothing(dtledger: Run, twin: Twin, export: Path) -> None:
    words = ("snapshot", "put", export, "--twin", twin.number, *GATEWAY)
    first = dtledger(*words)
    assert "Written: 24 readings in 2 snapshots, 1 batches" in first.stdout
    assert "25 rows (csv): 24 readings, 1 repeats, 1 gaps, 0 that cannot be read." in first.stderr
    assert "gap of 1 hour after" in first.stderr
    again = said(dtledger(*words, "--json"))
    assert (again["written"], again["readings_written"], again["readings_known"], again["sent"]) == (0, 0, 24, [])


def test_a_dry_run_reads_the_file_and_writes_nothing(dtledger: Run, twin: Twin, export: Path) -> None:
    words = ("snapshot", "put", export, *GATEWAY, "--dry-run")
    assert "Would write 24 readings in 2 snapshots" in dtledger(*words).stdout
    told = said(dtledger(*words, "--twin", twin.number, "--json"))
    assert (told["planned"], told["written"], told["twin"]) == (2, 0, twin.number)
    assert values(dtledger, twin) == []


def test_a_dry_run_refuses_readings_of_a_time_to_come_as_a_put_does(dtledger: Run, twin: Twin, tmp_path: Path) -> None:
    file = tmp_path / "early.csv"
    file.write_text("time,glucose (mmol/L)\n2999-01-01T00:00:00Z,6.1\n")
    words = ("snapshot", "put", file, "--twin", twin.number, *GATEWAY)
    for more in ((), ("--dry-run",)):
        refused = dtledger(*words, *more)
        assert refused.exit_code == 2
        assert "1 readings are of a time to come" in refused.stderr


def test_rows_that_cannot_be_read_stop_it_unless_it_may_skip_them(dtledger: Run, twin: Twin, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("time,glucose (mmol/L)\n" + "".join(lines(unreadable=True)))
    words = ("snapshot", "put", file, "--twin", twin.number, *GATEWAY)
    refused = dtledger(*words)
    assert refused.exit_code == 2
    assert "line 27: the time is not a date and a time of day" in refused.stderr
    assert "line 28: the value is not a number" in refused.stderr
    assert "nothing was written" in refused.stderr
    as_json = dtledger(*words, "--json")
    assert as_json.exit_code == 2
    assert '"planned": 0' in as_json.stdout
    assert '"line": 27' in as_json.stdout
    assert values(dtledger, twin) == []
    skipped = said(dtledger(*words, "--skip-unreadable", "--json"))
    assert (len(skipped["problems"]), skipped["readings_written"]) == (2, 24)


def test_a_file_may_come_through_a_pipe(dtledger: Run, twin: Twin, export: Path) -> None:
    told = said(dtledger("snapshot", "put", "-", "--twin", twin.number, *GATEWAY, "--json", stdin=export.read_text()))
    assert told["readings_written"] == 24


def test_what_the_file_does_not_say_is_asked_for_by_its_option(dtledger: Run, twin: Twin, tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    file = tmp_path / "wall.csv"
    file.write_text(f"when,reading\n{now:%d/%m/%Y %H:%M},150\n{now:%d/%m/%Y} 00:05,151\n")
    words = ("snapshot", "put", file, "--twin", twin.number, "--dry-run", *GATEWAY, "--json", "--time-column", "when")
    assert "--tz" in complaint(dtledger(*words, "--unit", "mg/dL"), 2)["hint"]
    assert "--unit" in str(complaint(dtledger(*words, "--utc-offset", "Z"), 2))
    assert complaint(dtledger(*words, "--tz", "UTC", "--utc-offset", "Z"), 2)
    told = said(dtledger(*words, "--tz", "UTC", "--unit", "mg/dL", "--date-order", "dmy", "--format", "csv"))
    assert told["readings"] == 2


def test_another_category_is_named(dtledger: Run, twin: Twin, tmp_path: Path) -> None:
    file = tmp_path / "meals.csv"
    file.write_text(f"time,value (g)\n{datetime.now(UTC).isoformat(timespec='seconds')},45\n")
    words = ("snapshot", "put", file, "--twin", twin.number, *GATEWAY)
    assert dtledger(*words, "--category", "insulin").exit_code == 2, "grams are no unit of insulin"
    assert said(dtledger(*words, "--category", "meals", "--json"))["readings_written"] == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DTLEDGER_CATEGORY", "meals")
        assert said(dtledger(*words, "--json"))["readings_known"] == 1


def test_every_importer_can_be_named() -> None:
    assert set(FORMATS) == {"auto", *(known.NAME for known in importers.FORMATS)}


def test_a_workbook_is_read_by_its_usual_column_or_by_the_one_that_is_named(
    dtledger: Run, twin: Twin, tmp_path: Path
) -> None:
    file = tmp_path / "segment.xlsx"
    file.write_bytes(xlsx(shanghai()))
    words = ("snapshot", "put", file, "--twin", twin.number, *PATIENT, "--tz", "Asia/Shanghai")
    glucose = said(dtledger(*words, "--json"))
    assert (glucose["format"], glucose["readings_written"], glucose["others"]) == ("shanghai", 40, {})
    assert "5 'CBG (mg / dl)'" in glucose["notes"][-1]
    assert "CSII - basal" in str(complaint(dtledger(*words, "--category", "insulin", "--json"), 2))
    pump = (*words, "--category", "insulin", "--value-column", "CSII - bolus insulin (Novolin R, IU)")
    written = dtledger(*pump)
    assert "1 readings, 0 repeats, 0 gaps, 0 that cannot be read, 39 missing." in written.stderr
    read = ("twin", "read", twin.number, "--category", "insulin", "--purpose", "PATRQT", *PATIENT)
    assert "4.00 [iU]" in dtledger(*read).stdout


def test_an_owner_writes_without_a_grant_and_nobody_else_does(dtledger: Run, twin: Twin, export: Path) -> None:
    words = ("snapshot", "put", export, "--twin", twin.number)
    refused = complaint(dtledger(*words, "--key", "cardiology", "--json"), 3)
    assert refused["reason"] == "NO_GRANT"
    assert dtledger(*words, *PATIENT).exit_code == 0
    assert len(values(dtledger, twin)) == 24


def test_data_outside_the_grant_are_refused_whole(dtledger: Run, twin: Twin, tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    file.write_text("time,glucose (mmol/L)\n" + "".join(lines()) + "2001-01-01T00:00Z,5.0\n")
    words = ("snapshot", "put", file, "--twin", twin.number, *GATEWAY, "--json")
    assert complaint(dtledger(*words), 3)["reason"] == "PERIOD"
    file.write_text("time,glucose (mmol/L)\n" + "".join(lines()))
    assert said(dtledger(*words))["readings_written"] == 24


@pytest.mark.parametrize("content", [None, "", "nothing of use\n", "time,glucose (mmol/L)\n"])
def test_a_file_without_readings_is_refused(dtledger: Run, twin: Twin, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "export.csv"
    if content is not None:
        file.write_text(content)
    complaint(dtledger("snapshot", "put", file, "--twin", twin.number, *GATEWAY, "--json"), 2)


def test_a_put_that_died_before_its_anchor_is_ended_by_the_next(
    dtledger: Run, twin: Twin, export: Path, devnet_home: DevnetHome
) -> None:
    name = new_key(devnet_home)
    owned = new_twin(devnet_home, hours=0, owner=name)
    with devnet_home.client(name) as owner:
        writer = owner.writer
        writer._anchoring._anchor = lambda pending: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign,assignment]
        readings = [Reading(int(datetime.now(UTC).timestamp()) // 60 * 60, 5.0, "mmol/L")]
        with pytest.raises(KeyboardInterrupt):
            writer.put(owned.number, "glucose", readings)
    result = dtledger("snapshot", "put", export, "--twin", owned.number, "--key", name)
    assert "1 snapshots that an earlier put had left unanchored are anchored now." in result.stderr
    told = said(dtledger("snapshot", "list", "--twin", owned.number, "--key", name, "--json"))
    assert len(told["snapshots"]) == 3


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


def forge(
    home: DevnetHome,
    twin: Twin,
    *,
    owner: str = "patient",
    places: int = 1,
    torn: bool = False,
    anchor: bool = True,
    beside: bool = False,
) -> Digest:
    """Anchor a stream of the owner's that begins anew, past the journal; if `torn`, its second snapshot names another
    one as the one before it; if `beside`, it says that it goes on from nothing. Returns the last manifest's digest."""
    minute = twin.readings[0].minute if twin.readings else int(datetime.now(UTC).timestamp()) // 60
    with home.client(owner) as client:
        context = client.context
        keys = owner_keys(context.key.secrets.twin(context.deployment.id, twin.number))
        target = Target(twin.number, keys, client.twins.roster(twin.number))
        label = keys.label("glucose", client.address)
        blocks = Staging(context.store)
        content = encode_readings("glucose", [Reading(minute * 60, 5.0, "mmol/L")])
        drafts = [(target, Draft("glucose", Period(minute, minute), content))] * places
        newest = context.view().newest_batch(client.address)
        covers = newest.after if newest and not beside else ZERO_DIGEST
        if torn:
            first = seal_batch(context.deployment, blocks, context.key, None, covers, {}, drafts[:1])
            head = replace(first.heads[label], leaf=Digest(bytes(31) + b"\1"))
            client.context.ledger.send(calls.anchor_batch(first.root, 1, first.index.digest), context.key)
            covers = sha256(covers + first.root)
            sealed = seal_batch(context.deployment, blocks, context.key, first.index, covers, {label: head}, drafts[1:])
        else:
            sealed = seal_batch(context.deployment, blocks, context.key, None, covers, {label: StreamHead()}, drafts)
        blocks.flush()
        if anchor:
            count = len(sealed.written)
            client.context.ledger.send(calls.anchor_batch(sealed.root, count, sealed.index.digest), context.key)
    return sealed.written[-1].manifest.digest

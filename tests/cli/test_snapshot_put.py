"""`snapshot put`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from dtledger import importers
from dtledger._cli.snapshot.put import FORMATS
from dtledger.readings import Reading
from tests.cli.twins import Twin, complaint, new_key, new_twin, said
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

"""`snapshot amend`, and how `twin read`, `snapshot list` and `snapshot show` tell of it."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result

from dtledger.readings import FINGERSTICK, Reading
from dtledger.vocabulary import Kind
from tests.cli.twins import DAY, Twin, complaint, new_key, new_member, new_twin, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]

PATIENT = ("--key", "patient")
GATEWAY = ("--key", "gateway")
WHY = ("--reason", "typing error")
READ = ("--category", "glucose", "--purpose", "PATRQT", *PATIENT)


@pytest.fixture
def twin(devnet_home: DevnetHome) -> Twin:
    """A twin of the test's own with an hour of glucose in one snapshot: twelve values, the first at the full hour."""
    twin = new_twin(devnet_home, hours=0)
    first = int(time.time()) // 3600 * 3600 - 7200
    readings = tuple(Reading(first + place * 300, 4.0 + place / 10, "mmol/L", 60) for place in range(12))
    with devnet_home.client("gateway") as gateway:
        gateway.writer.put(twin.number, "glucose", readings)
    return Twin(devnet_home, twin.number, readings)


def snapshots(dtledger: Run, twin: Twin) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = said(dtledger("snapshot", "list", "--twin", twin.number, *PATIENT, "--json"))[
        "snapshots"
    ]
    return found


def digest(dtledger: Run, twin: Twin) -> str:
    first: str = snapshots(dtledger, twin)[0]["digest"]
    return first


def when(twin: Twin, place: int) -> str:
    return datetime.fromtimestamp(twin.readings[place].seconds, UTC).isoformat()


def read(dtledger: Run, twin: Twin, *more: str) -> dict[str, Any]:
    return said(dtledger("twin", "read", twin.number, *READ, "--json", *more))


def values(dtledger: Run, twin: Twin) -> list[float]:
    return [each["value"] for each in read(dtledger, twin)["readings"]]


def original(twin: Twin) -> list[float]:
    return [each.value for each in twin.readings]


# one value -------------------------------------------------------------------------------------------------------


def test_one_value_is_corrected_and_read_with_its_mark(dtledger: Run, twin: Twin) -> None:
    target = digest(dtledger, twin)
    words = ("snapshot", "amend", target, "--at", when(twin, 3), "--value", "7.2", *WHY, *PATIENT, "--yes")
    result = dtledger(*words)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"Corrected: {target[2:18]} by ")
    assert "it is 7.2 mmol/L instead of 4.3 mmol/L. Why: typing error." in result.stderr
    assert "of gateway)" in result.stderr
    assert "stays readable" in result.stderr
    told = read(dtledger, twin)
    assert [each["value"] for each in told["readings"]] == [*original(twin)[:3], 7.2, *original(twin)[4:]]
    assert [each["corrected"] for each in told["readings"]] == [place == 3 for place in range(12)]
    assert told["readings"][3]["at"].endswith("+01:00"), "the source's offset stays"
    (amendment,) = told["amendments"]
    assert (amendment["corrects"], amendment["reason"], amendment["writer"]["name"]) == (
        target, "typing error", "patient",
    )  # fmt: skip
    assert (told["superseded"], amendment["snapshot"]) == (1, told["readings"][3]["snapshot"])


def test_both_are_shown_if_asked_with_who_and_why(dtledger: Run, twin: Twin) -> None:
    words = ("snapshot", "amend", digest(dtledger, twin), "--at", when(twin, 3), "--value", "7.2", *WHY, *GATEWAY)
    by = said(dtledger(*words, "--unit", "mmol/L", "--yes", "--json"))["digest"]
    plain = dtledger("twin", "read", twin.number, *READ)
    assert [line for line in plain.stdout.splitlines() if "corrected" in line] == [plain.stdout.splitlines()[3]]
    assert "superseded" not in plain.stdout
    assert "values that stand no more: 1 (--originals" in plain.stderr
    both = dtledger("twin", "read", twin.number, *READ, "--originals").stdout.splitlines()
    assert len(both) == 13
    (line,) = [line for line in both if "superseded" in line]
    assert line.endswith(f"4.3 mmol/L  superseded by {by[2:18]} of gateway: typing error")
    told = read(dtledger, twin, "--originals")
    assert [each["superseded_by"] for each in told["readings"] if each["value"] in {4.3, 7.2}] == [None, by]
    rows = list(
        csv.DictReader(io.StringIO(dtledger("twin", "read", twin.number, *READ, "--originals", "--csv").stdout))
    )
    assert [(row["corrected"], row["superseded_by"]) for row in rows[3:5]] == [("1", ""), ("0", by[2:])]
    drawn = said(dtledger("twin", "plot", twin.number, *READ, "--json"))
    assert [each["value"] for each in drawn["readings"]] == values(dtledger, twin)


def test_a_value_is_withdrawn_and_so_are_all(dtledger: Run, twin: Twin) -> None:
    target = digest(dtledger, twin)
    one = dtledger("snapshot", "amend", target, "--at", when(twin, 3), "--remove", *WHY, *PATIENT, "--yes")
    assert "4.3 mmol/L is withdrawn" in one.stderr
    assert values(dtledger, twin) == [*original(twin)[:3], *original(twin)[4:]]
    every = dtledger("snapshot", "amend", target, "--remove", *WHY, *PATIENT, "--yes")
    assert "all its 11 values are withdrawn" in every.stderr
    assert values(dtledger, twin) == []
    assert len(read(dtledger, twin, "--originals")["readings"]) == 12
    again = complaint(dtledger("snapshot", "amend", target, "--remove", *WHY, *PATIENT, "--yes", "--json"), 2)
    assert "stands any more" in again["message"]


def test_a_minute_names_the_value_in_it_and_several_need_the_second(
    dtledger: Run, twin: Twin, devnet_home: DevnetHome
) -> None:
    start = twin.readings[-1].seconds + 1800
    with devnet_home.client("gateway") as gateway:
        times = (start + 13, start + 60 + 10, start + 60 + 40)
        gateway.writer.put(twin.number, "glucose", [Reading(at, 6.0, "mmol/L") for at in times])
    target = snapshots(dtledger, twin)[1]["digest"]
    words = ("snapshot", "amend", target, *WHY, *PATIENT, "--value", "7.5", "--yes", "--json")
    stamps = [datetime.fromtimestamp(start + second, UTC).isoformat() for second in (0, 60, 70, 120)]
    assert said(dtledger(*words, "--at", stamps[0]))["replaces"] == [stamps[0].replace(":00+00:00", ":13Z")]
    assert stamps[2] in complaint(dtledger(*words, "--at", stamps[1]), 2)["hint"]
    assert said(dtledger(*words, "--at", stamps[2]))["digest"]
    assert "Nothing of the snapshot stands" in complaint(dtledger(*words, "--at", stamps[3]), 2)["message"]
    assert values(dtledger, twin)[12:] == [7.5, 7.5, 6.0]


def test_of_several_values_at_one_time_only_the_one_that_is_meant_changes_and_stays_what_it_is(
    dtledger: Run, twin: Twin, devnet_home: DevnetHome
) -> None:
    at = twin.readings[-1].seconds + 1800
    with devnet_home.client("gateway") as gateway:
        stick = Reading(at, 126.126, "mg/dL", quality=FINGERSTICK)
        gateway.writer.put(twin.number, "glucose", [Reading(at, 7.04, "mmol/L"), stick])
    target, stamp = snapshots(dtledger, twin)[1]["digest"], datetime.fromtimestamp(at, UTC).isoformat()
    words = ("snapshot", "amend", target, "--at", stamp, *WHY, "--yes", "--json")
    refused = complaint(dtledger(*words, "--value", "120", *PATIENT), 2)
    assert "126.126 mg/dL and 7.04 mmol/L" in refused["message"]
    assert "--was" in refused["hint"]
    assert "--was" in complaint(dtledger(*words, "--value", "120", "--was", "5", *PATIENT), 2)["hint"]
    assert "owner alone" in complaint(dtledger(*words, "--remove", "--was", "7", *GATEWAY), 2)["message"]
    assert (
        "120 mg/dL instead of 126.126 mg/dL"
        in said(dtledger(*words, "--value", "120", "--was", "126", *PATIENT))["sentence"]
    )
    told = [(each["value"], each["unit"], each["quality"], each["corrected"]) for each in last(dtledger, twin, 2)]
    assert sorted(told) == [(7.04, "mmol/L", "", False), (120.0, "mg/dL", FINGERSTICK, True)]
    assert said(dtledger(*words, "--remove", "--was", "7", *PATIENT))["digest"]
    assert [each["value"] for each in last(dtledger, twin, 1)] == [120.0]
    assert read(dtledger, twin)["superseded"] == 2


def last(dtledger: Run, twin: Twin, count: int) -> list[dict[str, Any]]:
    """What stands of the last snapshot that was put."""
    readings: list[dict[str, Any]] = read(dtledger, twin)["readings"]
    assert len(readings) == len(twin.readings) + count
    return readings[-count:]


def test_a_correction_is_corrected_by_its_own_digest(dtledger: Run, twin: Twin) -> None:
    words = ("--at", when(twin, 3), *WHY, *PATIENT, "--yes", "--json")
    first = said(dtledger("snapshot", "amend", digest(dtledger, twin), "--value", "7.2", *words))["digest"]
    second = said(dtledger("snapshot", "amend", first[2:14], "--twin", twin.number, "--value", "7.3", *words))
    assert second["corrects"] == first
    assert "7.3 mmol/L instead of 7.2 mmol/L" in second["sentence"]
    assert values(dtledger, twin)[3] == 7.3


def test_another_unit_is_taken_and_none_that_measures_something_else(dtledger: Run, twin: Twin) -> None:
    words = (
        "snapshot",
        "amend",
        digest(dtledger, twin),
        "--at",
        when(twin, 3),
        "--value",
        "130",
        *WHY,
        "--yes",
        "--json",
    )
    assert "not a unit of glucose" in complaint(dtledger(*words, "--unit", "kg", *PATIENT), 2)["message"]
    assert "--unit" in complaint(dtledger(*words, *GATEWAY), 2)["hint"], "a gateway cannot look what it was"
    assert said(dtledger(*words, "--unit", "mg/dL", *GATEWAY))["readings"][0]["unit"] == "mg/dL"
    assert read(dtledger, twin, "--unit", "mmol/L")["readings"][3]["value"] == pytest.approx(7.215, abs=0.001)


# a file ----------------------------------------------------------------------------------------------------------


def export(folder: Path, twin: Twin, changes: dict[int, float | None], more: str = "") -> Path:
    """The hour as a file, with some values changed or (None) left out."""
    rows = {place: each.value for place, each in enumerate(twin.readings)} | changes
    file = folder / "corrected.csv"
    lines = [f"{when(twin, place)},{value}\n" for place, value in rows.items() if value is not None]
    file.write_text("time,glucose (mmol/L)\n" + "".join(lines) + more)
    return file


def test_all_is_as_a_file_has_it(dtledger: Run, twin: Twin, tmp_path: Path) -> None:
    other = datetime.fromtimestamp(twin.readings[0].seconds - DAY, UTC).isoformat()
    file = export(tmp_path, twin, {3: 7.2, 5: None}, f"{other},5.0\n")
    words = ("snapshot", "amend", digest(dtledger, twin), "--file", file, *WHY, *PATIENT)
    planned = dtledger(*words, "--dry-run")
    assert "1 readings of other times are left out." in planned.stderr
    assert "of its values 1 are corrected, 1 are withdrawn and 10 stand as they are" in planned.stderr
    assert dtledger(*words, "--yes").exit_code == 0
    told = read(dtledger, twin)
    assert [each["value"] for each in told["readings"]] == [4.0, 4.1, 4.2, 7.2, 4.4, *original(twin)[6:]]
    assert [place for place, each in enumerate(told["readings"]) if each["corrected"]] == [3]
    assert told["superseded"] == 2
    assert "stands already" in complaint(dtledger(*words, "--yes", "--json"), 2)["message"]


def test_a_gateway_replaces_all_without_seeing_what_was_there(dtledger: Run, twin: Twin, tmp_path: Path) -> None:
    words = ("snapshot", "amend", digest(dtledger, twin), "--file", "-", *WHY, *GATEWAY, "--yes")
    text = export(tmp_path, twin, {3: 7.2}).read_text()
    assert "all its values are replaced by the 12 of the file" in dtledger(*words, stdin=text).stderr
    assert values(dtledger, twin)[3] == 7.2
    again = said(dtledger(*words, "--json", stdin=text))
    assert (again["digest"], again["sent"]) == (None, [])
    assert "written before" in dtledger(*words, stdin=text).stdout


def test_a_file_of_another_time_or_with_unreadable_rows_is_refused(dtledger: Run, twin: Twin, tmp_path: Path) -> None:
    words = ("snapshot", "amend", digest(dtledger, twin), *WHY, *PATIENT, "--yes", "--json", "--file")
    nothing = export(tmp_path, twin, dict.fromkeys(range(12)), "2001-01-01T00:00Z,5.0\n")
    assert "--remove" in complaint(dtledger(*words, nothing), 2)["hint"]
    broken = export(tmp_path, twin, {3: 7.2}, "tomorrow,5.0\n")
    assert "cannot be read" in complaint(dtledger(*words, broken), 2)["message"]
    assert values(dtledger, twin) == original(twin)


# asking ----------------------------------------------------------------------------------------------------------


def test_nothing_is_signed_without_an_answer_or_in_a_dry_run(dtledger: Run, twin: Twin) -> None:
    words = ("snapshot", "amend", digest(dtledger, twin), "--at", when(twin, 3), "--value", "7.2", *WHY, *PATIENT)
    unasked = dtledger(*words)
    assert unasked.exit_code == 2
    assert "say --yes" in unasked.stderr
    planned = dtledger(*words, "--dry-run")
    assert planned.exit_code == 0
    assert "Nothing was signed." in planned.stderr
    told = said(dtledger(*words, "--dry-run", "--json"))
    assert (told["schema"], told["dry_run"], told["digest"], told["sent"]) == ("dtledger/amendment/1", True, None, [])
    assert (told["twin"], told["category"], told["reason"]) == (twin.number, "glucose", "typing error")
    assert values(dtledger, twin) == original(twin)
    done = said(dtledger(*words, "--yes", "--json"))
    assert done["sentence"] == told["sentence"]
    assert len(done["sent"]) == 1


@pytest.mark.parametrize(
    "how",
    [
        (),
        ("--value", "7"),
        ("--at", "now"),
        ("--was", "7", "--remove"),
        ("--at", "now", "--value", "7", "--remove"),
        ("--file", "x.csv", "--remove"),
        ("--file", "x.csv", "--at", "now"),
        ("--file", "x.csv", "--value", "7"),
    ],
)
def test_one_way_to_correct_is_named(dtledger: Run, twin: Twin, how: tuple[str, ...]) -> None:
    refused = complaint(dtledger("snapshot", "amend", digest(dtledger, twin), *how, *WHY, *PATIENT, "--json"), 2)
    assert "Say how" in refused["message"]


@pytest.mark.parametrize("reason", ["", "two\nlines", "x" * 501])
def test_a_reason_of_one_line_is_needed_and_asked_for_before_anything_is_signed(
    dtledger: Run, twin: Twin, reason: str
) -> None:
    words = ("snapshot", "amend", digest(dtledger, twin), "--remove", *PATIENT, "--dry-run", "--json")
    assert "reason" in complaint(dtledger(*words, "--reason", reason), 2)["message"].lower()
    assert complaint(dtledger(*words), 2)["error"] == "UsageError"
    assert said(dtledger(*words, *WHY))["dry_run"]


def test_whoever_may_not_write_may_not_correct(dtledger: Run, twin: Twin, devnet_home: DevnetHome) -> None:
    twin.grant()
    words = ("snapshot", "amend", digest(dtledger, twin), "--remove", *WHY, "--yes", "--json")
    assert complaint(dtledger(*words, "--key", "cardiology"), 3)["reason"] == "NO_GRANT"
    assert complaint(dtledger(*words, "--key", new_member(devnet_home, Kind.GATEWAY)), 3)["reason"] == "CATEGORY"
    assert complaint(dtledger(*words, "--key", new_key(devnet_home)), 3)["reason"] == "CATEGORY"
    assert complaint(dtledger("snapshot", "amend", "00" * 32, "--remove", *WHY, *PATIENT, "--json"), 6)
    assert said(dtledger(*words, *GATEWAY))["digest"]


# list and show ---------------------------------------------------------------------------------------------------


def test_list_and_show_tell_what_corrects_what(dtledger: Run, twin: Twin) -> None:
    target = digest(dtledger, twin)
    by = said(dtledger("snapshot", "amend", target, "--remove", *WHY, *PATIENT, "--yes", "--json"))["digest"]
    told = {each["digest"]: (each["corrects"], each["corrected_by"]) for each in snapshots(dtledger, twin)}
    assert told == {target: (None, [by]), by: (target, [])}
    lines = dtledger("snapshot", "list", "--twin", twin.number, *PATIENT).stdout.splitlines()
    assert lines[1].endswith(f"corrected by {by[2:18]}")
    assert lines[2].endswith(f"corrects {target[2:18]}")
    stranger = said(dtledger("snapshot", "list", "--twin", twin.number, "--key", "operator", "--json"))["snapshots"]
    assert {each["digest"]: each["corrected_by"] for each in stranger} == {target: [by], by: []}
    shown = dtledger("snapshot", "show", target, *PATIENT).stdout
    assert f"corrected   by {by[2:]}" in shown
    assert f"corrects    {target[2:]}" in dtledger("snapshot", "show", by, *PATIENT).stdout
    assert "typing error" not in shown, "why stands in what is encrypted"
    assert said(dtledger("snapshot", "show", target, *PATIENT, "--json"))["corrected_by"] == [by]
    assert said(dtledger("snapshot", "verify", "--twin", twin.number, *PATIENT, "--json"))["passed"]


def test_late_data_and_a_late_correction_are_marked(dtledger: Run, devnet_home: DevnetHome) -> None:
    old = new_twin(devnet_home, hours=1, ago=3 * DAY)
    first = snapshots(dtledger, old)[0]
    dtledger("snapshot", "amend", first["digest"], "--at", when(old, 0), "--value", "9.9", *WHY, *PATIENT, "--yes")
    assert [each["late"] for each in snapshots(dtledger, old)] == [True] * len(snapshots(dtledger, old))
    line = dtledger("twin", "read", old.number, *READ).stdout.splitlines()[0]
    assert line.endswith("9.9 mmol/L  late corrected")
    listed = dtledger("snapshot", "list", "--twin", old.number, *PATIENT).stdout.splitlines()
    assert listed[-1].endswith(f"late, corrects {first['digest'][2:18]}")

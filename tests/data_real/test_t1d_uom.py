"""T1D-UOM's files of glucose, insulin and meals, as published (docs/data.md). `TestAStudysFile` in
tests/importers/test_account.py meets the same faults in generated files."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

import pytest

from dtledger.errors import InputError
from dtledger.importers import read_file
from dtledger.readings import decode_readings, encode_readings, hourly
from tests.data_real.recordings import UOM, imported, path

pytestmark = pytest.mark.real_data

DOCS = Path(__file__).parents[2] / "docs" / "data.md"
GLUCOSE = [name for name in UOM if "Glucose" in name]

PROBLEMS = {
    "2301": {"happened twice": 16},
    "2303": {"happened twice": 12},
    "2304": {"happened twice": 25},
    "2306": {"happened twice": 3},
    "2307": {"cannot be glucose": 7},
    "2309": {"never happened": 12},
    "2310": {"happened twice": 12, "never happened": 12},
}


def subject(name: str) -> str:
    return name.removesuffix(".csv.gz")[-4:]


@pytest.mark.parametrize("name", GLUCOSE)
def test_why_a_row_of_glucose_was_refused_is_known(name: str) -> None:
    kinds = ("happened twice", "never happened", "cannot be glucose")
    found = Counter(kind for problem in imported(name).problems for kind in kinds if kind in problem.reason)
    assert found == PROBLEMS.get(subject(name), {})


@pytest.mark.parametrize("name", GLUCOSE[1:3])
def test_the_order_of_dates_is_proven_by_the_file_and_not_by_its_readme(name: str) -> None:
    done = imported(name)
    assert done.notes[0].startswith("Dates were read day first, which line ")
    wrong = read_file(path(name), tz="Europe/London", unit="mmol/L", date_order="mdy")
    assert any("month first (--date-order)" in problem.reason for problem in wrong.problems)


def test_a_sensors_month_becomes_hours_and_comes_back_to_the_last_bit() -> None:
    done = imported("cgm/t1d_uom/UoMGlucose2307.csv.gz")
    hours = hourly(done.readings)
    assert 600 < len(hours) < 800
    back = [decode_readings(encode_readings("glucose", hour.readings)).readings for hour in hours]
    assert tuple(reading for hour in back for reading in hour) == done.readings


def test_the_example_of_the_documentation_prints_what_it_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    monkeypatch.chdir(path("cgm/t1d_uom"))
    exec(example, {})
    assert f"# {capsys.readouterr().out.strip()}" in example


def test_a_file_that_does_not_say_its_zone_or_is_said_to_be_in_another_unit_is_refused() -> None:
    file = path("cgm/t1d_uom/UoMGlucose2305.csv.gz")
    with pytest.raises(InputError, match="--tz"):
        read_file(file)
    with pytest.raises(InputError, match="--unit"):
        read_file(file, "csv", tz="Europe/London")
    with pytest.raises(InputError, match="--unit mmol/L"):
        read_file(file, tz="Europe/London", unit="mg/dL")
    assert len(read_file(file, tz="Europe/London").readings) == 7190


@pytest.mark.parametrize(
    ("kind", "category", "unit", "columns", "counts"),
    [
        ("Bolus", "insulin", "[iU]", ("bolus_ts", "bolus_dose"), (677, 0, 0)),
        ("Basal", "insulin", "[iU]", ("basal_ts", "basal_dose"), (10991, 2, 0)),
        ("Nutrition", "meals", "g", ("meal_ts", "carbs_g"), (301, 1, 0)),
    ],
)
def test_a_file_with_a_byte_order_mark_is_read_as_plain_csv_too_by_its_headings(
    kind: str, category: str, unit: str, columns: tuple[str, str], counts: tuple[int, int, int]
) -> None:
    file = path(f"cgm/t1d_uom/UoM{kind}2301.csv.gz")
    assert gzip.decompress(file.read_bytes()).startswith(b"\xef\xbb\xbf")
    time, value = columns
    done = read_file(file, category=category, unit=unit, tz="Europe/London", time_column=time, value_column=value)
    assert (len(done.readings), done.repeats, len(done.problems)) == counts

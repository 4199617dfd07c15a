"""The recordings of both CGM folders, each imported once, and the same rows read another way."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from dtledger.importers import Import, read_file

HERE = Path(__file__).parent
DIGESTS = dict(reversed(line.split("  ")) for line in (HERE / "SHA256SUMS").read_text("utf-8").splitlines())
"""SHA-256 by path, as `sha256sum` writes them."""

CATEGORIES = {
    "Glucose": "glucose",
    "Bolus": "insulin",
    "Basal": "insulin",
    "Nutrition": "meals",
    "sleep": "heart-rate",
    "Activity": "activity",
}
"""What T1D-UOM's files hold, by the word in their names."""
VALUES = {"Glucose": 1, "Bolus": 1, "Basal": 1, "Nutrition": 3, "sleep": 2}
"""Which column of theirs has it."""

SHANGHAI = sorted(name for name in DIGESTS if "shanghai" in name)
UOM = sorted(name for name in DIGESTS if "t1d_uom" in name and "Activity" not in name)


def path(name: str) -> Path:
    return Path(os.environ["DTLEDGER_DATA"], name)


def kind(name: str) -> str:
    """The word in the name of one of T1D-UOM's files."""
    return next(word for word in CATEGORIES if word in name)


def zone(name: str) -> str:
    return "Asia/Shanghai" if "shanghai" in name else "Europe/London"


@cache
def imported(name: str) -> Import:
    category = "glucose" if "shanghai" in name else CATEGORIES[kind(name)]
    return read_file(path(name), category=category, tz=zone(name))


def uom_rows(name: str) -> list[tuple[str, str]]:
    """Time and value of each row, by the standard library."""
    with gzip.open(path(name), "rt", encoding="utf-8-sig", newline="") as lines:
        return [(row[0].strip(), row[VALUES[kind(name)]]) for row in list(csv.reader(lines))[1:]]


def uom_expected(name: str) -> set[tuple[datetime, float]]:
    """Each value at each time that is one instant; 0 is no heart rate, and 0.1 no glucose."""
    least = {"Glucose": 0.6, "sleep": 1}.get(kind(name), 0)
    expected = set()
    for text, value in uom_rows(name):
        if " " not in text or not value or float(value) < least:
            continue
        wall = datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=ZoneInfo("Europe/London"))
        if wall.utcoffset() == wall.replace(fold=1).utcoffset():
            expected.add((wall.astimezone(UTC), float(value)))
    return expected


def shanghai_rows(name: str) -> Iterator[tuple[datetime, float]]:
    """Time and the sensor's value of each row, by the libraries themselves."""
    if name.endswith(".xlsx"):
        import openpyxl

        (sheet,) = openpyxl.load_workbook(path(name)).worksheets
        for time, value in sheet.iter_rows(min_row=2, max_col=2, values_only=True):
            if time is not None:
                yield time, value
        return
    import xlrd

    (sheet,) = xlrd.open_workbook(path(name)).sheets()
    for row in range(1, sheet.nrows):
        yield xlrd.xldate_as_datetime(sheet.cell_value(row, 0), 0), sheet.cell_value(row, 1)

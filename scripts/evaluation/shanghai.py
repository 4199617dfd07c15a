"""Workbooks of ShanghaiT1DM and ShanghaiT2DM: a segment a file, named by the four digits of whose it is."""

from __future__ import annotations

import csv
import math
from datetime import datetime
from pathlib import Path

import numpy as np

from dtledger.errors import InputError
from dtledger.importers.source import open_source
from dtledger.twin.factors import Array

from .meals import carbohydrate, insulin
from .segments import Segment

FORMATS = (
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d",
)
"""Of a workbook's date, and of times that are text."""


def files(folder: Path) -> dict[str, list[Path]]:
    """The workbooks of each person."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.xls*")):
        found.setdefault(path.name.partition("_")[0], []).append(path)
    return found


def segment(path: Path) -> Segment:
    """One workbook's rows. A row whose time cannot be read, or is an earlier row's, is left out.

    Raises:
        InputError: it cannot be read, or has no row with a time.
    """
    with open_source(path) as source:
        rows = list(csv.reader(source.lines()))
    heads = [" ".join(cell.lower().split()) for cell in rows[0]]
    by_time: dict[float, list[str]] = {}
    for row in rows[1:]:
        if row and (minute := _minute(row[0])) is not None:
            by_time.setdefault(minute, row + [""] * (len(heads) - len(row)))
    if not by_time:
        raise InputError("The workbook has no row with a time.")
    body = [by_time[minute] for minute in sorted(by_time)]

    def column(word: str) -> list[str]:
        place = next((i for i, head in enumerate(heads) if word in head), None)
        return ["" if place is None else row[place] for row in body]

    doses, drips = (np.array([insulin(cell) for cell in column(f"insulin dose - {way}")]) for way in ("s.c.", "i.v."))
    return Segment(
        minutes=np.array(sorted(by_time)),
        glucose=numbers(column("cgm")),
        fingerstick=numbers(column("cbg")),
        carbohydrate=np.array([carbohydrate(cell) for cell in column("dietary intake")]),
        rapid=doses[:, 0] + drips[:, 0] + np.nan_to_num(numbers(column("bolus insulin"))),
        lasting=doses[:, 1],
        pump=numbers(column("basal insulin")),
    )


def numbers(cells: list[str]) -> Array:
    """Of each cell, NaN where it holds none."""
    values = []
    for cell in cells:
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        values.append(value if math.isfinite(value) else math.nan)
    return np.array(values)


def since(moment: datetime) -> float:
    """Minutes of a wall clock since 1970."""
    return (moment - datetime(1970, 1, 1)).total_seconds() / 60  # noqa: DTZ001 a wall clock's


def _minute(cell: str) -> float | None:
    for form in FORMATS:
        try:
            return since(datetime.strptime(cell.strip(), form))  # noqa: DTZ007 a wall clock's
        except (TypeError, ValueError):
            continue
    return None

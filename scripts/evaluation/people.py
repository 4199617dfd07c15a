"""The people of an evaluation: each one's segments of a ShanghaiT1DM or T2DM folder, in the order of time."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from dtledger.errors import InputError
from dtledger.importers.source import open_source
from dtledger.twin.factors import Array

from .meals import carbohydrate, insulin

FLOOR = 39.6
"""mg/dL, the least that the sensor shows."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One person's rows of one sensor, by time. `minutes` are a wall clock's since 1970; NaN is a missing value."""

    minutes: Array
    glucose: Array
    fingerstick: Array
    carbohydrate: Array
    rapid: Array
    lasting: Array
    pump: Array


@dataclass(frozen=True, slots=True)
class Person:
    """All that is known of one person, named by the four digits that its files begin with."""

    name: str
    segments: tuple[Segment, ...]


def people(given: str) -> list[Person]:
    """The people of `DIR:IDS`: IDS are names with commas, `1001-1006`, or nothing for everybody there.

    Raises:
        InputError: the folder does not hold them.
    """
    folder, _, names = given.partition(":")
    files: dict[str, list[Path]] = {}
    for path in sorted(Path(folder).glob("*.xls*")):
        files.setdefault(path.name.partition("_")[0], []).append(path)
    wanted = [name for part in names.split(",") if part for name in _range(part)] or list(files)
    if missing := [name for name in wanted if name not in files]:
        raise InputError(f"The folder has no {', '.join(missing)}.", hint="Say --test FOLDER:1001,1002 or 1001-1006.")
    return [Person(name, tuple(sorted(map(segment, files[name]), key=lambda each: each.minutes[0]))) for name in wanted]


def segment(path: Path) -> Segment:
    """One workbook's rows."""
    with open_source(path) as source:
        rows = list(csv.reader(source.lines()))
    heads = [" ".join(cell.lower().split()) for cell in rows[0]]

    def column(*words: str) -> list[str]:
        place = next((i for i, head in enumerate(heads) if any(word in head for word in words)), None)
        return ["" if place is None else row[place] for row in body]

    width = len(heads)
    body = sorted(
        (row + [""] * (width - len(row)) for row in rows[1:] if row and row[0].strip()), key=lambda row: row[0]
    )
    times = [datetime.fromisoformat(row[0]) for row in body]
    doses = [insulin(cell) for cell in column("insulin dose - s.c.")]
    drips = [insulin(cell) for cell in column("insulin dose - i.v.")]
    bolus = np.nan_to_num(_numbers(column("bolus insulin")))
    return Segment(
        minutes=np.array([(time - datetime(1970, 1, 1)).total_seconds() / 60 for time in times]),  # noqa: DTZ001
        glucose=_numbers(column("cgm")),
        fingerstick=_numbers(column("cbg")),
        carbohydrate=np.array([carbohydrate(cell) for cell in column("dietary intake")]),
        rapid=np.array([dose[0] for dose in doses]) + np.array([drip[0] for drip in drips]) + bolus,
        lasting=np.array([dose[1] for dose in doses]),
        pump=_numbers(column("basal insulin")),
    )


def _numbers(cells: list[str]) -> Array:
    values = []
    for cell in cells:
        try:
            values.append(float(cell))
        except ValueError:
            values.append(np.nan)
    return np.array(values)


def _range(part: str) -> list[str]:
    first, dash, last = part.partition("-")
    return [str(name) for name in range(int(first), int(last) + 1)] if dash else [first]

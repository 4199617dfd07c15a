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

FLOOR, CEILING = 39.6, 500.4
"""mg/dL, the least and the greatest that the sensor shows."""
HINT = "Say FOLDER:1001,1002 or FOLDER:1001-1006, or FOLDER alone for everybody there."
MOST_IN_RANGE, MOST_NAMED = 10_000, 10


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
    if not Path(folder).is_dir():
        raise InputError(f"There is no folder {folder}.", hint=HINT)
    files: dict[str, list[Path]] = {}
    for path in sorted(Path(folder).glob("*.xls*")):
        files.setdefault(path.name.partition("_")[0], []).append(path)
    wanted = list(dict.fromkeys(name for part in names.split(",") if part for name in _range(part))) or list(files)
    if missing := [name for name in wanted if name not in files]:
        raise InputError(f"The folder has no {', '.join(missing[:MOST_NAMED])}.", hint=HINT)
    if not wanted:
        raise InputError(f"{folder} has no workbook of anybody.", hint=HINT)
    return [
        Person(name, _apart(sorted(map(segment, files[name]), key=lambda each: each.minutes[0]))) for name in wanted
    ]


def segment(path: Path) -> Segment:
    """One workbook's rows. A row whose time cannot be read, or is an earlier row's, is left out."""
    with open_source(path) as source:
        rows = list(csv.reader(source.lines()))
    heads = [" ".join(cell.lower().split()) for cell in rows[0]]
    by_time = {}
    for row in rows[1:]:
        if row and (minute := _minute(row[0])) is not None:
            by_time.setdefault(minute, row + [""] * (len(heads) - len(row)))
    if not by_time:
        raise InputError("A workbook has no row with a time.")
    body = [by_time[minute] for minute in sorted(by_time)]

    def column(word: str) -> list[str]:
        place = next((i for i, head in enumerate(heads) if word in head), None)
        return ["" if place is None else row[place] for row in body]

    doses, drips = (np.array([insulin(cell) for cell in column(f"insulin dose - {way}")]) for way in ("s.c.", "i.v."))
    return Segment(
        minutes=np.array(sorted(by_time)),
        glucose=_numbers(column("cgm")),
        fingerstick=_numbers(column("cbg")),
        carbohydrate=np.array([carbohydrate(cell) for cell in column("dietary intake")]),
        rapid=doses[:, 0] + drips[:, 0] + np.nan_to_num(_numbers(column("bolus insulin"))),
        lasting=doses[:, 1],
        pump=_numbers(column("basal insulin")),
    )


def _apart(segments: list[Segment]) -> tuple[Segment, ...]:
    """Segments without the rows that lie before an earlier one's end: a person's time never runs back."""
    found: list[Segment] = []
    for each in segments:
        later = each.minutes > (found[-1].minutes[-1] if found else -np.inf)
        if later.any():
            found.append(Segment(**{name: getattr(each, name)[later] for name in Segment.__slots__}))
    return tuple(found)


def _minute(cell: str) -> float | None:
    """Minutes of a wall clock since 1970."""
    try:
        return (datetime.fromisoformat(cell.strip()) - datetime(1970, 1, 1)).total_seconds() / 60  # noqa: DTZ001
    except (TypeError, ValueError):
        return None


def _numbers(cells: list[str]) -> Array:
    values = []
    for cell in cells:
        try:
            values.append(float(cell))
        except ValueError:
            values.append(np.nan)
    return np.array(values)


def _range(part: str) -> list[str]:
    """The names that `1001-1006` or `1001` stands for.

    Raises:
        InputError: it stands for none.
    """
    first, dash, last = part.partition("-")
    if not dash:
        return [first]
    if not (first.isdecimal() and last.isdecimal() and 0 <= int(last) - int(first) < MOST_IN_RANGE):
        raise InputError(f"{part} is no range of people.", hint=HINT)
    return [str(name) for name in range(int(first), int(last) + 1)]

"""The people of an evaluation: each one's segments, in the order of time, of a folder of ShanghaiT1DM's, T2DM's or
T1D-UOM's files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dtledger.errors import InputError

from . import shanghai, uom
from .segments import Segment, thinned

FLOOR, CEILING = 39.6, 500.4
"""mg/dL, the least and the greatest that the sensor shows."""
HINT = "Say FOLDER:1001,1002 or FOLDER:1001-1006, or FOLDER alone for everybody there."
MOST_IN_RANGE, MOST_NAMED = 10_000, 10


@dataclass(frozen=True, slots=True)
class Person:
    """All that is known of one person, named by the four digits in its files' names."""

    name: str
    segments: tuple[Segment, ...]


def people(given: str) -> list[Person]:
    """The people of `DIR:IDS`: IDS are names with commas, `1001-1006`, or nothing for everybody there.

    Raises:
        InputError: the folder does not hold them, or what it holds of one cannot be read.
    """
    folder, _, names = (given, "", "") if Path(given).is_dir() else given.rpartition(":")
    if not Path(folder).is_dir():
        raise InputError(f"There is no folder {folder or given}.", hint=HINT)
    held = {name: (kind.segment, paths) for kind in (uom, shanghai) for name, paths in kind.files(Path(folder)).items()}
    wanted = list(dict.fromkeys(name for part in names.split(",") if part for name in _range(part))) or list(held)
    if missing := [name for name in wanted if name not in held]:
        raise InputError(f"The folder has no {', '.join(missing[:MOST_NAMED])}.", hint=HINT)
    if not wanted:
        raise InputError(f"{folder} has no workbook of anybody.", hint=HINT)
    return [_person(name, *held[name]) for name in wanted]


def _person(name: str, read: Callable[[Path], Segment], paths: list[Path]) -> Person:
    try:
        segments = [thinned(read(path)) for path in paths]
    except InputError as error:
        raise InputError(f"{name}: {error.message}", hint=error.hint) from error
    known = [each for each in segments if not np.isnan(each.glucose).all()]
    if not known:
        raise InputError(f"{name} has no reading of glucose.", hint="Its column is called CGM, or value.")
    return Person(name, _apart(sorted(known, key=lambda each: each.minutes[0])))


def _apart(segments: list[Segment]) -> tuple[Segment, ...]:
    """Segments without the rows that lie before an earlier one's end: a person's time never runs back."""
    found: list[Segment] = []
    for each in segments:
        later = each.minutes > (found[-1].minutes[-1] if found else -np.inf)
        if later.any():
            found.append(each.of(later))
    return tuple(found)


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

"""T1D-UOM's files (Alsuhaymi and others, Scientific Data 2025): a person's glucose, boluses, basal doses and meals.

Dates are day first, glucose is in mmol/L. A meal or dose comes with the next reading within four hours, as it would at
a gateway; a pump's rate does not.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np

from dtledger.errors import InputError
from dtledger.importers.source import open_source
from dtledger.twin.factors import Array
from dtledger.vocabulary.units import GLUCOSE_MG_DL_PER_MMOL_L

from .segments import Segment
from .shanghai import numbers, since

BEGINS = "UoMGlucose"
LATEST = 240.0
"""Minutes after which nobody hears of a meal or dose any more."""


def files(folder: Path) -> dict[str, list[Path]]:
    """The file of each person's glucose."""
    return {path.name.removeprefix(BEGINS).partition(".")[0]: [path] for path in sorted(folder.glob(f"{BEGINS}*.csv*"))}


def segment(path: Path) -> Segment:
    """All of one person's rows. A row whose time cannot be read, or is an earlier row's, is left out.

    Raises:
        InputError: a file cannot be read, or no row has a time and a value.
    """
    glucose = dict(reversed([(minute, value) for minute, value, _ in _rows(path, "value")]))
    if not glucose:
        raise InputError("The file has no reading with a time.")
    minutes = np.array(sorted(glucose))

    def told(kind: str, column: str, of: str = "") -> Array:
        """What comes with each reading, of a file that may not be there."""
        other = path.with_name(path.name.replace("Glucose", kind, 1))
        rows = _rows(other, column) if other.is_file() else ()
        events = [(minute, value) for minute, value, row in rows if not of or row.get("insulin_kind", "").strip() == of]
        at, amount = np.array(events, dtype=np.float64).reshape(-1, 2).T
        place = np.searchsorted(minutes, at)
        soon = (place < len(minutes)) & (minutes[np.minimum(place, len(minutes) - 1)] - at <= LATEST)
        return np.asarray(np.bincount(place[soon], amount[soon], len(minutes)), dtype=np.float64)

    never = np.full(len(minutes), np.nan)
    return Segment(
        minutes=minutes,
        glucose=np.array([glucose[minute] for minute in minutes.tolist()]) * GLUCOSE_MG_DL_PER_MMOL_L,
        fingerstick=never,
        carbohydrate=told("Nutrition", "carbs_g"),
        rapid=told("Bolus", "bolus_dose"),
        lasting=told("Basal", "basal_dose", of="L"),
        pump=never,
    )


def _rows(path: Path, column: str) -> Iterator[tuple[float, float, dict[str, str]]]:
    """Minute, number and the whole of each row that has both."""
    with open_source(path) as source:
        for row in csv.DictReader(source.lines()):
            time = next(iter(row.values())) or ""
            try:
                minute = since(datetime.strptime(time.strip(), "%d/%m/%Y %H:%M"))  # noqa: DTZ007 a wall clock's
            except ValueError:
                continue
            value = numbers([row.get(column) or ""])[0]
            if not np.isnan(value):
                yield minute, float(value), row

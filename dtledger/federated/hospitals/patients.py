"""The patients of the example: what is measured of each, in which hospital, and how it lies in a twin.

Heart disease: the four hospitals of the UCI data set (Janosi, Steinbrunn, Pfisterer, Detrano), as FLamby's
Fed-Heart-Disease takes them (du Terrail et al., NeurIPS 2022): without slope, vessels and thal, and without patients of
whom something else is missing, 740 are left; two thirds of each hospital train.

Breast cancer: the data set inside scikit-learn's wheel (Wolberg, Street, Mangasarian), thirty measures of a tumour, for
whoever has no other data: its first patients go in turn into four hospitals.

In a twin a patient is one snapshot of the category `lab`: a number a second, in the order of the columns, and the
diagnosis last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...client import TwinReading
from ...errors import InputError
from ...readings import Reading

CATEGORY, UNIT = "lab", "1"
PER_HOSPITAL = 24
"""Patients of breast cancer in each hospital."""
HEART = ("cleveland", "hungarian", "switzerland", "va")
_MISSING = (10, 11, 12)
"""Columns that FLamby leaves out, since most hospitals lack them."""
_CODED = {2: (2, 3, 4), 6: (1, 2)}
"""Columns that are codes, and the codes that become columns of their own: all but the first."""
_HEART_ROW = 11
_TRAIN, _SPLIT = 0.66, 43

Row = tuple[float, ...]
"""One patient: the columns, and the diagnosis (1: the disease) at the end."""


@dataclass(frozen=True, slots=True)
class Patients:
    """Of one hospital: those whom it trains on, and those whom it measures the model on."""

    hospital: str
    train: tuple[Row, ...]
    test: tuple[Row, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.train + self.test


def heart_disease(folder: Path) -> list[Patients]:
    """The four hospitals, from the folder with their `processed.NAME.data`.

    Raises:
        InputError: one of the files is not there.
    """
    return [_split(name, _heart_rows(folder / f"processed.{name}.data")) for name in HEART]


def _heart_rows(file: Path) -> list[Row]:
    try:
        lines = file.read_text().splitlines()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error
    rows = []
    for line in lines:
        kept = [each for place, each in enumerate(line.split(",")) if place not in _MISSING]
        if len(kept) == _HEART_ROW and "?" not in kept:
            *columns, grade = map(float, kept)
            rows.append((*columns, float(grade > 0)))
    return rows


def breast_cancer() -> list[Patients]:
    """Four hospitals of `PER_HOSPITAL` patients each."""
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer()
    every = [(*map(float, row), float(sick == 0)) for row, sick in zip(table.data, table.target, strict=True)]
    names = ("north", "east", "south", "west")
    return [_split(name, every[place : PER_HOSPITAL * len(names) : len(names)]) for place, name in enumerate(names)]


def _split(hospital: str, rows: Sequence[Row]) -> Patients:
    """FLamby's: by the diagnosis where each is there more than twice."""
    from sklearn.model_selection import train_test_split

    sick = np.array([row[-1] for row in rows])
    counts = np.unique(sick, return_counts=True)[1]
    train, test = train_test_split(
        np.arange(len(rows)),
        test_size=1 - _TRAIN,
        train_size=_TRAIN,
        random_state=_SPLIT,
        stratify=sick if len(counts) > 1 and counts.min() > 2 else None,
    )
    return Patients(hospital, tuple(rows[each] for each in sorted(train)), tuple(rows[each] for each in sorted(test)))


def columns_of(rows: Iterable[Row]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """What the model sees of patients, a row each: their numbers; of a heart patient a code becomes a column for each
    of its values but the first."""
    made = []
    for row in rows:
        numbers = row[:-1]
        coded = _CODED if len(row) == _HEART_ROW else {}
        plain = [each for place, each in enumerate(numbers) if place not in coded]
        made.append(plain + [float(numbers[place] == code) for place, codes in coded.items() for code in codes])
    return np.array(made, np.float32)


def readings_of(row: Row, at: int) -> list[Reading]:
    """A patient's snapshot, of the minute that `at` (unix seconds) begins."""
    return [Reading(at + place, each, UNIT) for place, each in enumerate(row)]


def row_of(readings: Mapping[str, Sequence[TwinReading]]) -> Row:
    """A patient, from what was read of the twin."""
    return tuple(each.value for each in readings[CATEGORY])

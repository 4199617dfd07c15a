"""Persistence and AR(6), on the same origins: what a forecast must be better than.

An origin is a reading with eleven before it and the next hour's after it, none over 20 minutes from the next: so
`reference/baselines_shanghai_t1dm.json` was measured. AR(6) is least squares with an intercept for each horizon, on all
windows of the training people; its intervals are Gaussian with the deviation of its errors there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dtledger.twin.factors import Array

from .people import Person

ORDER = 6
AHEAD = (1, 2, 4)
HISTORY = 11
"""Readings before an origin."""
LONGEST = 20.0
"""Minutes between two readings of one run."""


@dataclass(frozen=True, slots=True)
class Autoregression:
    """`weights` (3, ORDER + 1), the intercept last, and `deviations` (3) of the errors in training, mg/dL."""

    weights: Array
    deviations: Array

    def forecast(self, windows: Array) -> Array:
        """(origins, 3) of windows (origins, ORDER), the newest first."""
        return windows @ self.weights[:, :-1].T + self.weights[:, -1]


@dataclass(frozen=True, slots=True)
class Origins:
    """One person's: `row` among all of its readings, `windows` (origins, ORDER), `actual` (origins, 3)."""

    row: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    windows: Array
    actual: Array


def origins(person: Person, history: int = HISTORY) -> Origins:
    row, windows, actual = [], [], []
    for first, glucose in _runs(person):
        place = np.arange(history, len(glucose) - AHEAD[-1])
        row.append(first + place)
        windows.append(np.stack([glucose[place - back] for back in range(ORDER)], axis=1))
        actual.append(np.stack([glucose[place + ahead] for ahead in AHEAD], axis=1))
    return Origins(np.concatenate(row), np.concatenate(windows), np.concatenate(actual))


def autoregression(people: Sequence[Person]) -> Autoregression:
    every = [origins(person, ORDER - 1) for person in people]
    windows, actual = (np.concatenate([getattr(each, name) for each in every]) for name in ("windows", "actual"))
    design = np.concatenate([windows, np.ones((len(windows), 1))], axis=1)
    weights = np.linalg.lstsq(design, actual, rcond=None)[0].T
    return Autoregression(weights, np.sqrt(np.square(actual - design @ weights.T).mean(axis=0)))


def _runs(person: Person) -> Iterator[tuple[int, Array]]:
    """The first row and the readings of each run, rows without a reading left out."""
    before = 0
    for segment in person.segments:
        there = ~np.isnan(segment.glucose)
        minutes, glucose = segment.minutes[there], segment.glucose[there]
        for part in np.split(np.arange(len(minutes)), np.flatnonzero(np.diff(minutes) > LONGEST) + 1):
            if len(part):
                yield before + int(part[0]), glucose[part]
        before += len(minutes)

"""One person's rows of one sensor, a quarter of an hour apart: what windows, origins and AR(6) are of."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from dtledger.twin.factors import Array

OFTEN = 8.0
"""Minutes: a sensor whose readings are as a rule nearer to each other is thinned."""
APART = 14.0
"""Minutes between two readings of those that are left."""


@dataclass(frozen=True, slots=True)
class Segment:
    """By time. `minutes` are a wall clock's since 1970; NaN is a missing value."""

    minutes: Array
    glucose: Array
    fingerstick: Array
    carbohydrate: Array
    rapid: Array
    lasting: Array
    pump: Array

    def of(self, rows: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Segment:
        return Segment(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})


def thinned(segment: Segment) -> Segment:
    """The segment as it is, or of a sensor that speaks every few minutes a reading each quarter of an hour. What was
    eaten, injected or measured meanwhile comes with the next that is left."""
    (there,) = np.nonzero(~np.isnan(segment.glucose))
    if len(there) < 2 or np.median(np.diff(segment.minutes[there])) >= OFTEN:
        return segment
    left, last = [], -np.inf
    for row in there:
        if segment.minutes[row] - last >= APART:
            left.append(row)
            last = segment.minutes[row]
    rows = np.array(left)
    comes_with = np.searchsorted(rows, np.arange(len(segment.minutes)))

    def summed(values: Array) -> Array:
        return np.asarray(np.bincount(comes_with, np.nan_to_num(values), len(rows) + 1)[:-1], dtype=np.float64)

    fingerstick = np.full(len(rows) + 1, np.nan)
    (taken,) = np.nonzero(~np.isnan(segment.fingerstick))
    fingerstick[comes_with[taken]] = segment.fingerstick[taken]
    return Segment(
        segment.minutes[rows],
        segment.glucose[rows],
        fingerstick[:-1],
        summed(segment.carbohydrate),
        summed(segment.rapid),
        summed(segment.lasting),
        segment.pump[rows],
    )

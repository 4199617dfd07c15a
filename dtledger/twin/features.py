"""What a forecast looks at: the last two hours, the filter's state, the person's day, what is on board.

All are about 1 in size. Products of a few of them let a rise end sooner where glucose is high, or after a meal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .factors import Array

__all__ = ["BASIS", "HORIZONS", "SCALES", "Seen", "features", "personal", "spread"]

HORIZONS = (15.0, 30.0, 60.0)
"""Minutes."""
SCALES = np.array([6.0, 14.0, 27.0])[:, None]
"""mg/dL, about what a forecast of each horizon misses by."""
BASIS = 10
"""Rows of `Seen.basis`."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known at a reading; arrays (·, twins).

    `lags` are past.lags, `slow` past.slow, `ahead` day.ahead, `mean` the filter's, `on_board` intake's, `since` the
    minutes since a meal, `minutes` of the local clock.
    """

    minutes: Array
    lags: Array
    slow: Array
    ahead: Array
    mean: Array
    on_board: Array
    since: Array

    @property
    def basis(self) -> Array:
        """What a person's own correction looks at: (10, twins)."""
        rates = _rates(self.lags)
        still = (self.slow[0] - self.lags[0]) / 60
        rows = [*self.ahead[:3], rates[0], rates[1], self.lags[0] / 60 - 2.5, still]
        rows += [self.on_board[0] / 30, self.on_board[2] / 4, np.exp(-self.since / 60)]
        return np.array(rows)


def features(seen: Seen) -> Array:
    """What the forecast of all people is linear in: (rows, twins)."""
    glucose, rates = seen.lags[0], _rates(seen.lags)
    level, rate, volatile = (glucose - 130) / 60, rates[0], np.sqrt(seen.slow[2]) / 20
    bends = [np.maximum(level - knot, 0) for knot in (-1.0, -0.5, 0.5, 1.0, 1.5)]
    clock = _clock(seen.minutes)
    rows = [np.ones_like(level), level, *rates, (seen.slow[0] - glucose) / 60, (seen.slow[1] - glucose) / 60]
    rows += [*clock, *bends, level * rate, level * rates[1], np.abs(rate), np.maximum(rate, 0) * rates[1]]
    rows += [rate**2, rate * rates[1], level**2 * rate, rate * clock[0], rate * clock[1]]
    rows += [level * clock[0], level * clock[1], volatile, rate * volatile, *(bend * rate for bend in bends)]
    intake = [seen.on_board[0] / 50, seen.on_board[1] / 50, seen.on_board[2] / 5, seen.on_board[3] / 5]
    intake += [seen.on_board[4] / 20, np.exp(-seen.since / 30), np.exp(-seen.since / 90)]
    for row in intake:
        rows += [row, row * rate, row * level]
    rows += [*(seen.ahead / 50), seen.mean[1], seen.mean[2], (seen.mean[3] - glucose) / 60]
    return np.array(rows)


def personal(rough: Array, basis: Array) -> Array:
    """What a person's own correction is linear in, of rough forecasts (3, twins): (3, 10, twins). The basis is
    (10, twins), or (10, 3, twins) where each horizon has one of its own."""
    rows = np.empty((len(rough), BASIS, rough.shape[1]))
    rows[:, 0] = 1.0
    rows[:, 1] = rough / SCALES
    rows[:, 2] = (basis[:3] if basis.ndim == 2 else basis[range(3), range(3)]) / SCALES
    rows[:, 3:] = basis[3:] if basis.ndim == 2 else basis[3:].transpose(1, 0, 2)
    return rows


def spread(minutes: Array, rough: Array, basis: Array, volatility: Array) -> Array:
    """What the logarithm of a forecast's error is linear in: (3, rows, twins)."""
    rate, level = basis[3], basis[5]
    rows = [np.ones_like(rate), np.abs(rate), np.abs(basis[4]), level, np.maximum(level - 0.5, 0)]
    rows += [np.maximum(-level - 0.5, 0), np.log(1 + volatility), *_clock(minutes), *basis[7:]]
    of_each = np.empty((3, len(rows) + 1, len(rate)))
    of_each[:, :-1], of_each[:, -1] = rows, np.abs(rough / SCALES)
    return of_each


def _rates(lags: Array) -> Array:
    """Changes over each quarter of an hour, the newest first, in 10 mg/dL."""
    return np.asarray((lags[:-1] - lags[1:]) / 10)


def _clock(minutes: Array) -> Array:
    angle = minutes % 1440 * (2 * math.pi / 1440)
    sine, cosine = np.sin(angle), np.cos(angle)
    return np.array([sine, cosine, 2 * sine * cosine, cosine * cosine - sine * sine])

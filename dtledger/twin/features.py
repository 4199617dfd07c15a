"""What a forecast looks at: the last two hours, the filter's state, the person's day, what is on board.

All are about 1 in size. Products of a few of them let a rise end sooner where glucose is high, or after a meal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .factors import Array

__all__ = ["BASIS", "HORIZONS", "SCALES", "Seen", "clock_of", "features", "personal", "spread"]

HORIZONS = (15.0, 30.0, 60.0)
"""Minutes."""
SCALES = np.array([6.0, 14.0, 27.0])[:, None]
"""mg/dL, about what a forecast of each horizon misses by."""
BASIS = 10
"""Rows of `Seen.basis`."""

CLOCK, VOLATILITY = slice(12, 16), 32
"""Rows of `features`."""

_KNOTS = np.array([-1.0, -0.5, 0.5, 1.0, 1.5])[:, None]
_DOSES = np.array([50.0, 50.0, 5.0, 5.0, 20.0])[:, None]
_SINCE = np.array([30.0, 90.0])[:, None]


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
    """What the forecast of all people is linear in: (71, twins)."""
    glucose, lags, clock = seen.lags[0], seen.lags, clock_of(seen.minutes)
    found = np.empty((71, len(glucose)))
    found[0] = 1.0
    level = np.divide(glucose - 130, 60, out=found[1])
    rates = np.divide(lags[:-1] - lags[1:], 10, out=found[2:10])
    rate = rates[0]
    found[10:12] = (seen.slow[:2] - glucose) / 60
    found[CLOCK] = clock
    bends = np.maximum(level - _KNOTS, 0, out=found[16:21])
    found[21], found[22], found[23] = level * rate, level * rates[1], np.abs(rate)
    found[24], found[25], found[26] = np.maximum(rate, 0) * rates[1], rate**2, rate * rates[1]
    found[27] = level**2 * rate
    found[28:30], found[30:32] = rate * clock[:2], level * clock[:2]
    volatile = np.divide(np.sqrt(seen.slow[2]), 20, out=found[VOLATILITY])
    found[33], found[34:39] = rate * volatile, bends * rate
    intake = found[39:60:3]
    intake[:5], intake[5:] = seen.on_board[:5] / _DOSES, np.exp(-seen.since / _SINCE)
    found[40:60:3], found[41:60:3] = intake * rate, intake * level
    found[60:68], found[68:70] = seen.ahead / 50, seen.mean[1:3]
    found[70] = (seen.mean[3] - glucose) / 60
    return found


def personal(rough: Array, basis: Array) -> Array:
    """What a person's own correction is linear in, of rough forecasts (3, twins): (3, 10, twins). The basis is
    (10, twins), or (10, 3, twins) where each horizon has one of its own."""
    rows = np.empty((len(rough), BASIS, rough.shape[1]))
    rows[:, 0] = 1.0
    rows[:, 1] = rough / SCALES
    rows[:, 2] = (basis[:3] if basis.ndim == 2 else basis[range(3), range(3)]) / SCALES
    rows[:, 3:] = basis[3:] if basis.ndim == 2 else basis[3:].transpose(1, 0, 2)
    return rows


def spread(clock: Array, rough: Array, basis: Array, volatility: Array) -> Array:
    """What the logarithm of a forecast's error is linear in: (3, rows, twins). `clock` is `clock_of` its minute."""
    rate, level = basis[3], basis[5]
    rows = [np.ones_like(rate), np.abs(rate), np.abs(basis[4]), level, np.maximum(level - 0.5, 0)]
    rows += [np.maximum(-level - 0.5, 0), np.log(1 + volatility), *clock, *basis[7:]]
    of_each = np.empty((3, len(rows) + 1, len(rate)))
    of_each[:, :-1], of_each[:, -1] = rows, np.abs(rough / SCALES)
    return of_each


def _rates(lags: Array) -> Array:
    """Changes over each quarter of an hour, the newest first, in 10 mg/dL."""
    return np.asarray((lags[:-1] - lags[1:]) / 10)


def clock_of(minutes: Array) -> Array:
    """Sine and cosine of the time of the day, and of twice it: (4, twins)."""
    angle = minutes % 1440 * (2 * math.pi / 1440)
    sine, cosine = np.sin(angle), np.cos(angle)
    return np.array([sine, cosine, 2 * sine * cosine, cosine * cosine - sine * sine])

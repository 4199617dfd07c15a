"""What a twin remembers of its readings: the last of them, and slow means.

Readings come when they come. Lags are asked for at whole quarters of an hour before the newest, and lie on straight
lines between the readings around them; before the first reading everything was as it was then.

>>> past = start(1)
>>> for minute, glucose in ((0.0, 100.0), (10.0, 120.0), (20.0, 110.0)):
...     past = learn(past, np.array([minute]), np.array([glucose]))
>>> past.lags[:, 0].round(1).tolist()[:3]
[110.0, 110.0, 100.0]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .factors import Array

__all__ = ["LAGS", "LONG_AGO", "Past", "learn", "start"]

KEPT = 40
"""Readings; ten hours a quarter of an hour apart, three and a third of five minutes."""
APART = 4.5
"""Minutes between two that are kept: of a sensor that speaks every minute, every fifth."""
LAGS = 9
"""The newest reading and eight quarters of an hour before it."""
LONG_AGO = -1e12
"""The minute of what never was."""
BEGAN = 50.0
"""The mean square of a change that somebody begins with, (mg/dL)²."""

_BACK = 15.0 * np.arange(LAGS)[:, None]
_SLOW = np.array([240.0, 1440.0, 360.0])[:, None]


@dataclass(frozen=True, slots=True)
class Past:
    """`times` and `values` (40, twins), the newest last; `slow` (3, twins): means over four hours and a day, and the
    mean square of a quarter of an hour's change; `lags` (9, twins): glucose now and each quarter of an hour before."""

    times: Array
    values: Array
    slow: Array
    lags: Array


def start(twins: int) -> Past:
    """What is remembered before the first reading."""
    return Past(
        np.full((KEPT, twins), LONG_AGO), np.zeros((KEPT, twins)), np.zeros((3, twins)), np.zeros((LAGS, twins))
    )


def learn(past: Past, minutes: Array, glucose: Array) -> Past:
    """The past with a reading (twins; NaN is none)."""
    there = ~np.isnan(glucose)
    first = there & (past.times[-1] == LONG_AGO)
    elapsed = np.where(there & ~first, minutes - past.times[-1], 0.0)
    apart = there & (minutes - past.times[-2] >= APART)
    times, values = past.times.copy(), past.values.copy()
    if apart.all():
        times[:-1], values[:-1] = past.times[1:], past.values[1:]
    elif apart.any():
        times[:-1] = np.where(apart, past.times[1:], past.times[:-1])
        values[:-1] = np.where(apart, past.values[1:], past.values[:-1])
    times[-1] = np.where(there, minutes, past.times[-1])
    values[-1] = np.where(there, glucose, past.values[-1])
    if first.any():
        values[:, first] = glucose[first]
    lags = _lags(times, values)
    newest = lags[0]
    target = np.array([newest, newest, np.square(newest - lags[1])])
    slow = past.slow + (1 - np.exp(-elapsed / _SLOW)) * (target - past.slow)
    if first.any():
        slow[:, first] = np.array([newest, newest, np.full_like(newest, BEGAN)])[:, first]
    return Past(times, values, slow, lags)


def _lags(times: Array, values: Array) -> Array:
    twins = np.arange(times.shape[1])
    target = times[-1] - _BACK
    earlier = (times[:, None] < target).view(np.int8).sum(axis=0, dtype=np.int8)
    after = np.minimum(earlier, KEPT - 1).astype(np.intp)
    before = np.maximum(after - 1, 0)
    late, early, value = times[after, twins], times[before, twins], values[after, twins]
    part = (late - target) / np.maximum(late - early, 1e-9)
    return np.asarray(value + np.clip(part, 0.0, 1.0) * (values[before, twins] - value))

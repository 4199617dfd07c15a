"""Whether readings have been there before: stuck at one value, or repeated from a person's own history.

A reading is compared with that of every earlier lag, counted in readings, for a replay keeps its order. For each lag
Page's cumulative sum keeps up how much better "what was read then" explains the readings than the twin does: as it was
(exactly, or with noise), and as changes, for one that was joined to the last true level. Where glucose lies flat both
explain it, and nothing is gained; a rise that comes twice to the digit is found within the hour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from . import batch
from .batch import Twins
from .factors import Array, Short
from .past import LONG_AGO

__all__ = ["HISTORY", "REPLAYS", "Memory", "greatest", "lasted", "named", "start", "take"]

HISTORY = 300
"""Readings: three days a quarter of an hour apart, a day of every five minutes."""
NEAREST = 16
"""The least lag: nearer ones are the same rise or fall."""
LAGS = HISTORY - NEAREST + 1
"""So many lags, the first of them, are far enough."""
EXACT, NOISY = 0.7, 2.8
"""mg/dL, the deviations of a repetition."""
FLAT = 2.0
"""mg/dL by which a reading differs from the one before where glucose lies flat, and days are alike by themselves."""
STEP = 1.8
"""mg/dL, the resolution that a sensor shows (0.1 mmol/L): the chance that two readings are equal."""
SAME = 0.05
"""mg/dL."""
REPLAYS = ("stuck", "replay", "daily replay", "joined replay", "daily joined replay")
"""What is looked for; a daily one comes from the same time of another day."""
DAY = 1440.0
TURN = 2**16
"""Units of a day's clock, 1.3 s each: it wraps as the number does."""
PUNCTUAL = int(8.0 * TURN / DAY)
"""By how much of TURN the same time of another day may differ."""
CACHED = 32_768
"""Numbers that are worked on at once."""
LONGEST = 8
"""Readings back to which a repetition is followed."""

_CONSTANT = 0.5 * math.log(2 * math.pi)


Clock = npt.NDArray[np.uint16]
Numbers = TypeVar("Numbers", Short, Clock)


@dataclass(frozen=True, slots=True)
class Memory:
    """`values` (300, twins), the newest last, NaN before the first, and their `clock`, in TURN; sums by lag, the least
    last, none below 0: `same` and `joined` (300, twins); `stuck` (twins) how little the twin expected of a
    run of equal readings, and since when."""

    values: Short
    clock: Clock
    same: Short
    joined: Short
    stuck: Array
    stuck_since: Array


def start(twins: int) -> Memory:
    """Before the first reading."""
    none: Short = np.zeros((HISTORY, twins), dtype=np.float32)
    clock: Clock = np.zeros((HISTORY, twins), dtype=np.uint16)
    return Memory(none + np.float32(np.nan), clock, none, none, np.zeros(twins), np.full(twins, LONG_AGO))


def take(memory: Memory, minutes: Array, reading: Array, sides: Array, log_density: Array) -> Memory:
    """With one more reading (twins; NaN is none), of which the twin expected `log_density` (twins), mg/dL. Where the
    sensor shows the end of its range (`sides`), it is bound to show the same again."""
    there = ~np.isnan(reading)
    values, same, joined = memory.values, memory.same, memory.joined
    equal = (np.abs(reading - values[-1]) < SAME) & (sides == 0)
    now: Short = reading.astype(np.float32)
    clock: Clock = np.floor(minutes * (TURN / DAY)).astype(np.int64).astype(np.uint16)
    flat = -0.5 * np.square((reading - values[-1]) / FLAT) - math.log(FLAT) - _CONSTANT
    density = np.fmax(log_density, flat).astype(np.float32) + np.float32(_CONSTANT)
    unlikely = log_density + math.log(STEP)
    after = np.empty_like(same), np.empty_like(joined)
    rows = max(1, CACHED // len(reading))
    for first in range(0, LAGS, rows):  # piece by piece: they are many, and each is looked at ten times
        here = slice(first, min(first + rows, LAGS))
        apart: Short = now - values[here]
        change = np.empty_like(apart)  # of lag k: (y - y_k) - (y_1 - y_{k+1})
        change[: max(1 - first, 0)] = np.nan
        before = values[max(first - 1, 0) : here.stop - 1]
        np.subtract(values[-1], before, out=change[len(change) - len(before) :])
        np.subtract(apart, change, out=change)
        _sum(same[here], apart, density, 1.0, after[0][here])
        _sum(joined[here], change, density, math.sqrt(2), after[1][here])
    for each in after:
        each[LAGS:] = 0
    found = Memory(
        _noted(values, now),
        _noted(memory.clock, clock),
        *after,
        np.where(equal, memory.stuck - unlikely, 0.0),
        np.where(equal, memory.stuck_since, minutes),
    )
    return found if there.all() else batch.where(there, found, memory)


def greatest(memory: Memory) -> Array:
    """Of REPLAYS (5, twins): the greatest sum."""
    count = len(memory.stuck)
    daily = np.flatnonzero(_daily(memory)[:LAGS])
    found: list[Short | Array] = [memory.stuck]
    for sums in (memory.same, memory.joined):
        that_day = np.zeros(count, dtype=np.float32)
        np.maximum.at(that_day, daily % count, sums.ravel()[daily])
        found += [sums[:LAGS].max(axis=0), that_day]
    return np.array(found, dtype=np.float64)


def named(memory: Memory) -> tuple[Array, Array]:
    """What is `greatest`, and its lag in readings; of stuck readings the value."""
    twins, daily = np.arange(len(memory.stuck)), _daily(memory)
    found = [(memory.stuck, memory.values[-1])]
    for sums in (memory.same, memory.joined):
        for some in (sums, sums * daily):
            best = some.argmax(axis=0)
            found.append((some[best, twins], HISTORY - best))
    ratio, lag = (np.array(each, dtype=np.float64) for each in zip(*found, strict=True))
    return ratio, lag


def _daily(memory: Memory) -> npt.NDArray[np.bool_]:
    """Which lags compare the same time of day."""
    early = memory.clock[:-1] - (memory.clock[-1] - np.uint16(PUNCTUAL))
    daily = np.empty(memory.clock.shape, dtype=bool)
    daily[0] = True
    np.less_equal(early, 2 * PUNCTUAL, out=daily[1:])
    return daily


def lasted(memory: Memory, twins: Twins, lag: Array, joined: npt.NDArray[np.bool_]) -> Array:
    """For how many readings before the newest some twins' repetitions have lasted, two hours' at most."""
    back, values = np.arange(1, LONGEST + 2)[:, None], memory.values[:, twins]
    place = np.maximum(HISTORY - back - lag.astype(np.intp), 0)
    apart = values[-back, np.arange(len(twins))] - values[place, np.arange(len(twins))]
    apart = np.where(joined, apart[:-1] - apart[1:], apart[:LONGEST])
    near = np.abs(apart) <= 3 * NOISY
    return np.asarray(np.logical_and.accumulate(near, axis=0).sum(axis=0) - 1.0)


def _noted(values: Numbers, now: Numbers) -> Numbers:
    """One place on, and the newest as the last."""
    noted = np.empty_like(values)
    noted[:-1], noted[-1] = values[1:], now
    return noted


def _sum(sums: Short, apart: Short, expected: Short, wider: float, out: Short) -> None:
    """Into `out`: Page's sums of what is won by a repetition that lies `apart` (lags, twins), where the twin `expected`
    so much (with _CONSTANT). In place: there are many."""
    exact, noisy = (wider * each for each in (EXACT, NOISY))
    np.square(apart, out=out)
    with_noise = out * np.float32(-0.5 / noisy**2)
    with_noise -= np.float32(math.log(noisy))
    out *= np.float32(-0.5 / exact**2)
    out -= np.float32(math.log(exact))
    np.maximum(out, with_noise, out=out)
    out -= expected
    out += sums
    np.fmax(out, 0, out=out)  # NaN, before the first reading, is nothing won

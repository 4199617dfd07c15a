"""Whether a glucose reading can be what it says: bounds, rates, and what an attack leaves in the innovations.

A gate looks at each reading before the twin takes it, and changes nothing in the twin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .factors import Array
from .past import LONG_AGO
from .twin import Coming

__all__ = ["BOUNDS", "DETECTORS", "RATE", "Judged", "Memory", "Thresholds", "judge", "reasons", "start"]

BOUNDS = (20.0, 600.0)
"""mg/dL between which a sensor can show something (a reading in mmol/L as mg/dL lies below, one taken twice above)."""
RATE = 10.0
"""mg/dL a minute, several times what a body does."""
DETECTORS: tuple[str, ...] = ("bounds", "rate")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What other people's clean readings taught: a reading whose score is above `level` is not believed."""

    level: float = 1e9


@dataclass(frozen=True, slots=True)
class Memory:
    """The newest reading and its minute, (twins) each."""

    at: Array
    value: Array


@dataclass(frozen=True, slots=True)
class Judged:
    """`scores` (DETECTORS, twins) of the reading, and the greatest of them; `detector` whose it is, the minute `onset`
    (twins) since when that says readings are false, and by how much, `amount` (twins)."""

    memory: Memory
    scores: Array
    score: Array
    detector: np.ndarray[tuple[int, ...], np.dtype[np.intp]]
    onset: Array
    amount: Array


def start(twins: int) -> Memory:
    return Memory(np.full(twins, LONG_AGO), np.full(twins, np.nan))


def judge(thresholds: Thresholds, memory: Memory, coming: Coming, reading: Array, sides: Array) -> Judged:
    """A reading (twins, NaN is none) beside what the twin expects."""
    del thresholds, sides
    minutes, there = coming.minutes, ~np.isnan(reading)
    wild = there & ((reading < BOUNDS[0]) | (reading > BOUNDS[1]))
    elapsed = np.maximum(minutes - memory.at, 1.0)
    rate = np.where(there & ~wild & (memory.at != LONG_AGO), (reading - memory.value) / elapsed, 0.0)
    scores = np.array([np.where(wild, np.inf, 0.0), np.where(np.abs(rate) > RATE, np.inf, 0.0)])
    detector = scores.argmax(axis=0)
    kept = there & ~wild
    after = Memory(np.where(kept, minutes, memory.at), np.where(kept, reading, memory.value))
    amount = np.where(detector == 0, reading, rate)
    return Judged(after, scores, scores.max(axis=0), detector, np.array(minutes), amount)


def reasons(judged: Judged, i: int, minute: float) -> list[str]:
    """What was found of twin `i`, in a clinician's words."""
    del minute
    if not judged.score[i] > 0:
        return []
    if DETECTORS[judged.detector[i]] == "bounds":
        return [f"out of bounds: {judged.amount[i]:.1f} mg/dL"]
    return [f"rate: {judged.amount[i]:+.1f} mg/dL a minute"]

"""Whether a vital sign can be what a monitor shows: beside itself, beside the other signs, and beside a second sensor.

A monitor's zero is no reading. Each channel is looked at for bounds, for a value that sticks though the twin expects it
to move, and for a leap: an innovation that only a shift explains. Heart rate (from the ECG) and pulse (from the light
of SpO2) measure one thing with two sensors; where they disagree for longer than chance, the one that is farther from
what the twin expects, as all other signs tell it, is doubted. A doubted channel is marked and not learned; the others
go on telling it. It is good again as soon as it does agree.

>>> memory, usual = start(1), np.array([[80.0], [80.0], [16.0], [97.0], [120.0], [70.0]])
>>> for minute in range(30):
...     memory = take(Thresholds(), memory, np.full(1, float(minute)), usual + minute % 3 - 1).memory
>>> usual[0] = 0.0
>>> bool(take(Thresholds(), memory, np.full(1, 30.0), usual).taken[0, 0])
False
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import vitals
from .factors import Array
from .signatures import CONSTANT, log_density
from .vitals import CHANNELS, Step

__all__ = ["BOUNDS", "DETECTORS", "Judged", "Memory", "Thresholds", "start", "take"]

BOUNDS = np.array([[20, 300], [20, 300], [1, 120], [20, 100], [30, 300], [10, 200]], dtype=np.float64)
"""In the units of CHANNELS, between which somebody lives."""
DETECTORS = ("bounds", "stuck", "leap", "disagreement")
HEART, PULSE = CHANNELS.index("heart-rate"), CHANNELS.index("pulse")
LEAP = 3.0
"""Deviations that a leap is thought to be of."""
BESIDE, WIDER = 2.5, 4.0
"""/min by which the two rates differ by chance, and how many times as much where one of them is false."""
FADES = 0.9
"""What a leap keeps of itself each minute that nothing is measured."""
STEP = 1.0
"""A monitor shows whole numbers."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The greatest score of each detector after bounds that is still believed, a sum of logarithms of ratios."""

    stuck: float = 25.0
    leap: float = 28.0
    disagreement: float = 12.0


@dataclass(frozen=True, slots=True)
class Memory:
    """The twin's; by channel the newest `value` (6, twins) and sums: `stuck` (6, twins), `leaps` (2, 6, twins) up and
    down; `apart` (twins) of the two rates."""

    twin: vitals.Memory
    value: Array
    stuck: Array
    leaps: Array
    apart: Array

    @property
    def at(self) -> Array:
        return self.twin.at


@dataclass(frozen=True, slots=True)
class Judged:
    """`scores` (DETECTORS, 6, twins); which channels are `suspect` (6, twins), which were `taken`; `step` as the twin
    has learned them."""

    memory: Memory
    scores: Array
    suspect: npt.NDArray[np.bool_]
    taken: npt.NDArray[np.bool_]
    step: Step

    def reasons(self, i: int) -> tuple[str, ...]:
        """Why channels of twin `i` are not believed."""
        return tuple(
            f"{channel}: {DETECTORS[int(self.scores[:, row, i].argmax())]}"
            for row, channel in enumerate(CHANNELS)
            if self.suspect[row, i]
        )


def start(twins: int) -> Memory:
    """Before the first reading."""
    none = np.zeros((len(CHANNELS), twins))
    return Memory(vitals.start(twins), np.full_like(none, np.nan), none, np.zeros((2, *none.shape)), np.zeros(twins))


def take(thresholds: Thresholds, memory: Memory, minutes: Array, readings: Array) -> Judged:
    """Readings (6, twins) of CHANNELS at `minutes` (twins); NaN and 0 are none.

    Raises:
        ValueError: the clock runs back, or a minute is no number.
    """
    there = ~np.isnan(readings) & (readings != 0)
    low, high = BOUNDS.T[:, :, None]
    wild = there & ((readings < low) | (readings > high))
    there &= ~wild
    usable = np.where(there, readings, np.nan)
    coming = vitals.expect(memory.twin, minutes)
    deviation = np.sqrt(np.diagonal(coming.expected.covariance).T)
    sides = vitals.censored(np.nan_to_num(usable))
    z = np.nan_to_num((usable - coming.mean) / deviation)
    z = np.where(sides * z < 0, 0.0, z)

    unlikely = -(log_density(z) + CONSTANT - np.log(deviation) + math.log(STEP))
    equal = (usable == memory.value) & (sides == 0)
    stuck = np.where(there, np.where(equal, memory.stuck + unlikely, 0.0), memory.stuck)
    won = np.stack([log_density(np.maximum(sign * z - LEAP, 0.0)) - log_density(z) for sign in (1, -1)])
    won = np.where(np.stack([z, -z]) > LEAP / 2, won, -1.0)
    leaps = np.where(there, np.maximum(memory.leaps + won, 0.0), FADES * memory.leaps)
    both = there[HEART] & there[PULSE]
    beside = np.where(both, (readings[HEART] - readings[PULSE]) / BESIDE, 0.0)
    wider = log_density(beside / WIDER) - math.log(WIDER) - log_density(beside)
    apart = np.where(both, np.maximum(memory.apart + wider, 0.0), memory.apart)

    scores = np.zeros((len(DETECTORS), *readings.shape))
    scores[0] = np.where(wild, np.inf, 0.0)
    scores[1], scores[2] = stuck, leaps.max(axis=0)
    farther = np.where(np.abs(z[HEART]) >= np.abs(z[PULSE]), HEART, PULSE)
    for row in (HEART, PULSE):
        scores[3, row] = np.where(both & (farther == row), apart, 0.0)
    most = np.array([np.inf, thresholds.stuck, thresholds.leap, thresholds.disagreement])[:, None, None]
    suspect = wild | (there & (scores > most).any(axis=0))
    step = coming.take(np.where(there & ~suspect, readings, np.nan))
    value = np.where(there, readings, memory.value)
    return Judged(Memory(step.memory, value, stuck, leaps, apart), scores, suspect, there & ~suspect, step)

"""Vital signs as one slow state: heart rate, respiration, SpO2 and blood pressure move together.

A hidden arousal, common to all, raises heart rate, respiration and pressures and lowers SpO2 a little; it fades within
minutes. Each sign besides has a level of its own that wanders over hours. So a sign that is not measured for a while is
told by the others, and one that moves alone, or not where the others do, shows in its innovation.

A monitor's pulse (from SpO2's light) reads the same heart rate as its ECG: two sensors of one thing. SpO2 shows no more
than 100 %, so a reading of 100 says "at least that".

>>> memory, nothing = start(1), np.full((6, 1), np.nan)
>>> pulse = nothing.copy()
>>> pulse[1] = 110.0
>>> step = expect(memory, np.zeros(1)).take(pulse)
>>> bool(expect(step.memory, np.ones(1)).mean[0, 0] > 90)
True
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .factors import Array, diagonal
from .filter import Expected, Filter, State, Update
from .past import LONG_AGO

__all__ = [
    "CHANNELS",
    "PROCESS",
    "SENSOR",
    "Coming",
    "Memory",
    "Step",
    "VitalsProcess",
    "VitalsSensor",
    "censored",
    "expect",
    "start",
]

CHANNELS = ("heart-rate", "pulse", "respiration", "spo2", "systolic", "diastolic")
"""The order of readings: /min, /min, /min, %, mm[Hg], mm[Hg]."""

LEVELS = np.array([80.0, 16.0, 97.0, 120.0, 70.0])
"""Where the levels of heart rate, respiration, SpO2, systolic and diastolic pressure begin (adults at rest)."""
LEVEL_DEVIATIONS = np.array([20.0, 5.0, 2.5, 25.0, 15.0])
"""How far people differ in them."""
AROUSAL = np.array([8.0, 1.5, -0.3, 8.0, 4.0])
"""What one unit of arousal, its own deviation over the day, does to each."""
OF_LEVEL = np.array([0, 0, 1, 2, 3, 4])
"""Which level each channel reads."""


@dataclass(frozen=True, slots=True)
class VitalsProcess:
    """Arousal forgets itself within `minutes`; levels wander by `wander` of LEVEL_DEVIATIONS in an hour."""

    minutes: float = 12.0
    wander: float = 0.2
    curved: ClassVar = slice(0)

    def move(self, points: Array, minutes: Array) -> Array:
        moved = points.copy()
        moved[0] *= np.exp(-minutes / self.minutes)
        return moved

    def noise(self, minutes: Array) -> Array:
        drift = (self.wander * LEVEL_DEVIATIONS)[:, None] * np.sqrt(minutes / 60)
        return diagonal(np.concatenate([np.sqrt(1 - np.exp(-2 * minutes / self.minutes))[None], drift]))


@dataclass(frozen=True, slots=True)
class VitalsSensor:
    """Readings of CHANNELS; `deviations` is each one's noise, the body's own from breath to breath included."""

    deviations: tuple[float, ...] = (1.5, 1.5, 2.0, 0.5, 6.0, 4.5)

    def read(self, points: Array) -> Array:
        signs = points[1:] + AROUSAL[:, None, None] * points[:1]
        return np.asarray(signs[OF_LEVEL])

    def noise(self, mean: Array) -> Array:
        return diagonal(np.repeat(np.array(self.deviations)[:, None], mean.shape[-1], axis=1))


PROCESS = VitalsProcess()
SENSOR = VitalsSensor()
FILTER = Filter(1.0)


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is known: `state` at the minute `at` (twins), LONG_AGO before the first reading."""

    at: Array
    state: State


@dataclass(frozen=True, slots=True)
class Step:
    """A memory after readings, and how they lay."""

    memory: Memory
    update: Update


@dataclass(frozen=True, slots=True)
class Coming:
    """The next readings before they are looked at: `expected` of CHANNELS, of the state at `minutes`."""

    minutes: Array
    expected: Expected

    @property
    def mean(self) -> Array:
        return self.expected.mean

    def take(self, readings: Array) -> Step:
        """Learn readings (6, twins), NaN where there is none; SpO2 of 100 % counts as at least that."""
        update = self.expected.update(readings, censored(readings))
        return Step(Memory(self.minutes, update.state), update)


def start(twins: int) -> Memory:
    """What is known of people before any reading."""
    mean = np.repeat(np.concatenate([[0.0], LEVELS])[:, None], twins, axis=1)
    deviations = np.repeat(np.concatenate([[1.0], LEVEL_DEVIATIONS])[:, None], twins, axis=1)
    return Memory(np.full(twins, LONG_AGO), State(mean, diagonal(deviations)))


def expect(memory: Memory, minutes: Array) -> Coming:
    """The readings at `minutes` (twins).

    Raises:
        ValueError: the clock runs back, or a minute is no number.
    """
    elapsed = np.where(memory.at == LONG_AGO, 0.0, minutes - memory.at)
    if not (elapsed >= 0).all() or not np.isfinite(minutes).all():
        raise ValueError("a twin's time never runs back")
    return Coming(minutes, FILTER.expect(FILTER.predict(memory.state, PROCESS, elapsed), SENSOR))


def censored(readings: Array) -> Array:
    """The sides of readings (6, twins) for `Expected.update`: SpO2 of 100 % is at least that."""
    sides = np.zeros_like(readings)
    sides[3] = readings[3] >= 100
    return sides

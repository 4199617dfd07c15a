"""Telling glucose from a sensor that drifts: the state of `glucose`, and one more part, the sensor's own slow error.

The error is an Ornstein-Uhlenbeck process (Facchinetti and others, IEEE TBME 2014, fit an autoregression to it). From
readings alone, glucose and error are told apart by their speeds only, so little can be won; what was announced tells
how glucose must move, and the rest is the sensor's.

>>> state = start(1, Parameters(), Drift())
>>> state.mean.shape, DriftingSensor(0.5).read(state.mean[:, None]).shape
((7, 1), (1, 1, 1))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from . import glucose
from .factors import Array
from .filter import State
from .glucose import GLUCOSE, GlucoseProcess, Parameters

__all__ = ["Drift", "DriftingProcess", "DriftingSensor", "start"]


@dataclass(frozen=True, slots=True)
class Drift:
    """How long a sensor's error lasts, and how large it is, in minutes and mg/dL."""

    minutes: float = 42.0
    deviation: float = 10.0


@dataclass(frozen=True, slots=True)
class DriftingProcess:
    """Glucose by itself, and the error by itself."""

    inner: GlucoseProcess
    drift: Drift
    curved: ClassVar = GlucoseProcess.curved

    def move(self, points: Array, minutes: Array) -> Array:
        return np.concatenate(
            [self.inner.move(points[:-1], minutes), points[-1:] * np.exp(-minutes / self.drift.minutes)]
        )

    def noise(self, minutes: Array) -> Array:
        return _joined(
            self.inner.noise(minutes),
            self.drift.deviation * np.sqrt(1 - np.exp(-2 * minutes / self.drift.minutes)),
        )


@dataclass(frozen=True, slots=True)
class DriftingSensor:
    """Reads glucose and its own error; `deviation` is of what differs from one reading to the next."""

    deviation: float

    def read(self, points: Array) -> Array:
        return points[GLUCOSE : GLUCOSE + 1] + points[-1:]

    def noise(self, mean: Array) -> Array:
        return np.full((1, 1, mean.shape[-1]), self.deviation)


def start(twins: int, parameters: Parameters, drift: Drift) -> State:
    """What is known of people and of a sensor before any reading."""
    inner = glucose.start(twins, parameters)
    mean = np.concatenate([inner.mean, np.zeros((1, twins))])
    return State(mean, _joined(inner.factor, np.full(twins, drift.deviation)))


def _joined(inner: Array, last: Array) -> Array:
    rows, columns, twins = inner.shape
    both = np.zeros((rows + 1, columns + 1, twins))
    both[:rows, :columns] = inner
    both[rows, columns] = last
    return both

"""Random processes and sensors, linear and not, as dtledger and as filterpy take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from dtledger.twin.factors import Array
from dtledger.twin.filter import Linear, State


@dataclass(frozen=True)
class Bent:
    """A process or sensor that is a matrix and then a bend."""

    matrix: Array
    bend: float
    factor: Array
    curved: ClassVar = slice(None)

    def move(self, points: Array, minutes: Array) -> Array:
        straight = np.einsum("ij,jkt->ikt", self.matrix, points)
        return straight + self.bend * np.sin(straight)

    def read(self, points: Array) -> Array:
        return self.move(points, np.zeros(0))

    def noise(self, minutes_or_mean: Array) -> Array:
        return np.repeat(self.factor[:, :, None], minutes_or_mean.shape[-1], axis=2)


def spread(draw: np.random.Generator, size: int) -> Array:
    """The lower factor of a random covariance that is not near to singular."""
    return np.tril(0.4 * draw.normal(size=(size, size)), -1) + np.diag(draw.uniform(0.5, 2, size))


def case(seed: int, size: int = 4, readings: int = 2, bend: float = 0.0) -> tuple[State, Any, Any]:
    """A state of one twin, a process and a sensor."""
    draw = np.random.default_rng(seed)
    state = State(draw.normal(size=(size, 1)), spread(draw, size)[:, :, None])
    matrix = np.linalg.qr(draw.normal(size=(size, size)))[0] * 0.95
    process = Bent(matrix, bend, spread(draw, size))
    sensor = Bent(0.5 * draw.normal(size=(readings, size)), bend, spread(draw, readings))
    return state, process, sensor


def linear(matrix: Array, covariance: Array) -> Linear:
    return Linear(matrix, np.linalg.cholesky(covariance))

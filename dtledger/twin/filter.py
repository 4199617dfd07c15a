"""A square-root Unscented Kalman Filter over many twins at once (van der Merwe and Wan, ICASSP 2001).

Arrays have the twins along their last axis: a mean is (n, twins), a factor (n, n, twins), points (n, points, twins).
The points are scaled (Julier 2002): mean ± √(α²(n + κ)) times each column of the factor. After noise was added they are
drawn anew for the sensor, as in filterpy; noise is additive. With W = 1/(2 α² (n + κ)), d the points' deviations from
the centre's and e = W Σd the mean's, the scaled covariance is exactly

    W Σ d dᵀ + (β − α²) e eᵀ

a sum of squares for β ≥ α²: no weight is negative, and both steps are orthogonal transformations without a downdate. In
the textbook's form the same covariance is a small difference of large numbers. Each pair of points is turned by 45°,
into half of what lies between the two and how far their middle is off the centre: that is 0, and left out, where a
process is linear.

>>> state = State(np.zeros((1, 1)), np.ones((1, 1, 1)))
>>> expected = Filter().expect(state, Linear(np.ones((1, 1)), np.ones(1)))
>>> updated = expected.update(np.array([[2.0]]))
>>> round(float(updated.state.mean[0, 0]), 12), round(float(updated.nis[0]), 12)
(1.0, 2.0)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from . import truncated
from .factors import Array, bordered, covariance, triangular

__all__ = ["Expected", "Filter", "Linear", "Process", "Sensor", "State", "Update"]


@dataclass(frozen=True, slots=True)
class State:
    """What is believed: mean (n, twins) and lower-triangular factor (n, n, twins) of the covariance."""

    mean: Array
    factor: Array

    @property
    def covariance(self) -> Array:
        return covariance(self.factor)


class Process(Protocol):
    """How a state moves by itself."""

    @property
    def curved(self) -> slice:
        """The rows whose move is not linear in the state."""

    def move(self, points: Array, minutes: Array) -> Array:
        """The points (n, k, twins) after `minutes` (twins); each point by itself."""

    def noise(self, minutes: Array) -> Array:
        """Columns (n, ·, twins) whose squares are the covariance of what chance adds in `minutes` (twins)."""


class Sensor(Protocol):
    """What readings of a state are to be expected."""

    def read(self, points: Array) -> Array:
        """The readings (p, k, twins) of points (n, k, twins), free of noise."""

    def noise(self, mean: Array) -> Array:
        """The factor (p, p, twins) of the readings' noise at a state's mean (n, twins)."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A process or sensor that is a matrix: `matrix` (rows, n), `deviations` (rows) or a factor (rows, rows) of its
    noise a step, whatever the minutes."""

    matrix: Array
    deviations: Array
    curved: ClassVar = slice(0)

    def move(self, points: Array, minutes: Array) -> Array:
        return self.read(points)

    def read(self, points: Array) -> Array:
        return np.asarray(np.einsum("ij,jkt->ikt", self.matrix, points))

    def noise(self, minutes_or_mean: Array) -> Array:
        factor = np.diag(self.deviations) if self.deviations.ndim == 1 else self.deviations
        return np.repeat(factor[:, :, None], minutes_or_mean.shape[-1], axis=2)


@dataclass(frozen=True, slots=True)
class Filter:
    """The spread of the points: α of Julier's scaling, β (2 suits normal variables), κ.

    Raises:
        ValueError: α is not positive, or β < α² (a covariance would be a difference).
    """

    alpha: float = 0.5
    beta: float = 2.0
    kappa: float = 0.0

    def __post_init__(self) -> None:
        if not self.alpha > 0 or self.beta < self.alpha**2:
            raise ValueError("α must be positive and β at least α²")

    def predict(self, state: State, process: Process, minutes: Array) -> State:
        """The state after `minutes` (twins), which may differ from twin to twin and be 0."""
        moved, noise, curved = process.move(self._points(state), minutes), process.noise(minutes), process.curved
        mean, halves, off = self._moments(moved, len(state.mean), curved)
        bent = np.zeros((len(mean), *off.shape[::2]))
        if len(off):
            bent[curved] = triangular(off)
        return State(mean, triangular(np.concatenate([halves, bent, noise], axis=1)))

    def expect(self, state: State, sensor: Sensor) -> Expected:
        """The next readings, before they are looked at."""
        size = len(state.mean)
        mean, halves, off = self._moments(sensor.read(self._points(state)), size)
        # What is off the centre has no part in the state, and becomes one small factor.
        rest = triangular(np.concatenate([off, sensor.noise(state.mean)], axis=1))
        own = np.concatenate([state.factor, np.zeros((size, *rest.shape[1:]))], axis=1)
        joint = np.concatenate([np.concatenate([halves, rest], axis=1), own])
        return Expected(state, mean, joint, triangular(joint[: len(mean)]))

    def _points(self, state: State) -> Array:
        """(n, 2n + 1, twins), the centre last."""
        size, centre = len(state.mean), state.mean[:, None]
        spread = math.sqrt(self.alpha**2 * (size + self.kappa)) * state.factor
        points = np.empty((size, 2 * size + 1, state.mean.shape[1]))
        np.add(centre, spread, out=points[:, :size])
        np.subtract(centre, spread, out=points[:, size:-1])
        points[:, -1] = state.mean
        return points

    def _moments(self, points: Array, size: int, curved: slice = slice(None)) -> tuple[Array, Array, Array]:
        """Mean (r, twins) of the points, and the columns of their covariance: (r, n, twins) half of what lies between
        each pair, and of the `curved` rows (·, n + 1, twins) how far the pairs are off the centre, and the mean."""
        weight = 1 / (2 * self.alpha**2 * (size + self.kappa))
        halves = (points[:, :size] - points[:, size:-1]) * math.sqrt(weight / 2)
        mean, bent = points[:, -1].copy(), points[curved]
        apart = bent[:, :-1] - bent[:, -1:]
        shift = weight * apart.sum(axis=1)
        off = np.empty((len(bent), size + 1, points.shape[2]))
        np.multiply(apart[:, :size] + apart[:, size:], math.sqrt(weight / 2), out=off[:, :-1])
        off[:, -1] = math.sqrt(self.beta - self.alpha**2) * shift
        mean[curved] += shift
        return mean, halves, off


@dataclass(frozen=True, slots=True)
class Expected:
    """The next readings as the state expects them: `mean` (p, twins); `_joint` holds columns (p + n, ·, twins) of the
    joint covariance of readings and state, `factor` (p, p, twins) is the readings' own, noise included."""

    state: State
    mean: Array
    _joint: Array
    factor: Array

    @property
    def covariance(self) -> Array:
        return covariance(self.factor)

    @property
    def cross(self) -> Array:
        """(n, p, twins), the covariance of the state with the readings."""
        count = len(self.mean)
        return np.asarray(np.einsum("ikt,jkt->ijt", self._joint[count:], self._joint[:count]))

    def update(self, readings: Array, censored: Array | None = None) -> Update:
        """The state when the readings are known.

        Args:
            readings: (p, twins); NaN is a missing one and changes nothing.
            censored: (p, twins), −1 where a reading is only known to be at most that, 1 at least, 0 elsewhere. The
                moments of the truncated normal take the reading's place, one after another where there are several.
        """
        there = ~np.isnan(readings)
        innovation = np.where(there, readings - self.mean, 0.0)
        count, joint, whole = len(readings), self._joint, bool(there.all())
        if count == 1 and not whole:
            joint = joint.copy()
            joint[0, :-1] *= there
            joint[0, -1:] = np.where(there, joint[0, -1:], 1.0)
        elif not whole:  # a missing reading becomes one of its own noise, which tells nothing of the state
            joint = np.concatenate([joint, np.zeros((len(joint), count, joint.shape[2]))], axis=1)
            joint[:count] *= there[:, None]
            joint[range(count), range(-count, 0)] = ~there
        lower = bordered(joint) if count == 1 else triangular(joint)
        whitened, kept = np.zeros_like(innovation), np.zeros_like(innovation)
        side = np.zeros_like(innovation) if censored is None else np.where(there, censored, 0)
        sided = censored is not None and bool(side.any())
        for i in range(count):
            known = (lower[i, :i] * whitened[:i]).sum(axis=0) if i else 0.0
            whitened[i] = (innovation[i] - known) / lower[i, i]
            if sided and side[i].any():
                (at,) = np.nonzero(side[i])
                mean, kept[i, at] = truncated.moments(-side[i, at] * whitened[i, at])
                whitened[i, at] = -side[i, at] * mean
        gain = lower[count:, :count]
        factor = lower[count:, count:]
        if sided:
            factor = triangular(np.concatenate([factor, gain * np.sqrt(kept)], axis=1))
        if not whole:
            factor = np.where(there.any(axis=0), factor, self.state.factor)
        mean = self.state.mean + (gain * whitened).sum(axis=1)
        seen = there & (side == 0) if sided else there
        nis = np.where(seen, whitened**2, 0.0).sum(axis=0)
        return Update(State(mean, factor), innovation, whitened, nis, seen.sum(axis=0))


@dataclass(frozen=True, slots=True)
class Update:
    """A state after its readings: `innovation` (p, twins), 0 where missing; `whitened` the same in units of its own
    deviation, given the readings before it; `nis` (twins), the normalised innovation squared, χ² of `degrees`
    (readings neither missing nor censored)."""

    state: State
    innovation: Array
    whitened: Array
    nis: Array
    degrees: Array

"""What a gate must be better than: a Kalman filter of glucose and its rate, and the normalised innovation squared.

Constants as in `reference/baselines_shanghai_t1dm.json`, a step a quarter of an hour: the rate keeps 0.7 of itself and
is driven by noise of variance 50, readings have one of 1. In its steady state the NIS is the innovation's square.
"""

from __future__ import annotations

import numpy as np

from dtledger.twin.factors import Array

KEPT, DRIVEN, READ = 0.7, 50.0, 1.0
MOVE = np.array([[1.0, 1.0], [0.0, KEPT]])
LONGEST = 20.0


def _steady() -> tuple[Array, float]:
    """Gain and variance of the innovation."""
    covariance = np.eye(2) * 100
    for _ in range(500):
        before = MOVE @ covariance @ MOVE.T + np.diag([0.0, DRIVEN])
        variance = before[0, 0] + READ
        gain = before[:, 0] / variance
        covariance = before - np.outer(gain, before[0])
    return gain, float(variance)


GAIN, VARIANCE = _steady()


def states(minutes: Array, glucose: Array) -> Array:
    """What the filter believes before each reading of one person, (readings, 2); it begins anew after a gap."""
    found, state = np.empty((len(glucose), 2)), np.zeros(2)
    for at, reading in enumerate(glucose):
        if at == 0 or minutes[at] - minutes[at - 1] > LONGEST:
            state = np.array([reading, 0.0])
        found[at] = state
        state = MOVE @ (state + GAIN * (reading - state[0]))
    return found


def greatest(begin: Array, readings: Array) -> Array:
    """The greatest NIS (windows) of readings (8, windows), from the beliefs (windows, 2) before them."""
    state, best = begin.T, np.zeros(readings.shape[1])
    for reading in readings:
        innovation = reading - state[0]
        best = np.maximum(best, innovation**2 / VARIANCE)
        state = MOVE @ (state + GAIN[:, None] * innovation)
    return best

"""Glucose as a state: a minimal model, a disturbance, and what is personal.

    dG/dt = −p (G − b) − k_I i(t) G + k_M a(t) + r      G what the sensor measures, in mg/dL
    dr/dt = −(r − q) / τ_r,  dq/dt = −q / τ_q + noise     r the disturbance, which the flow q feeds
    k_M = K_M exp(bounded m),  k_I = K_I exp(bounded s)   a meal's and insulin's gain, personal
    b, m, s wander slowly

after Bergman's minimal model (Bergman and others, Am J Physiol 1979), insulin's action driven by what is absorbed of
announced doses; a(t) in g/min and i(t) in [iU]/min come from `intake`. What nobody announced (meals, exercise, stress)
is the disturbance's, an autoregression of second order in continuous time. Within an interval a and i stand still, and
G follows exactly.

Identifiability: from glucose alone b, r and q are told apart by their speeds (a day, an hour, minutes). A gain is
learned only while its input acts, and where meals and doses always come together their gains are known by their
balance alone; else m and s keep their prior, which says how people differ. p, τ and the noises are not personal: they
were fitted on other people. A gain stays within `BOUND` of its prior, and a level within `LEVELS`.

>>> state = start(1)
>>> later = GlucoseProcess(Parameters(), np.array([[20.0], [0.0], [0.0]])).move(state.mean[:, None], np.array([15.0]))
>>> bool(later[GLUCOSE, 0, 0] > state.mean[GLUCOSE, 0])
True
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from .factors import Array, diagonal
from .filter import State

__all__ = ["BOUNDS", "FLOOR", "GLUCOSE", "GlucoseProcess", "GlucoseSensor", "Parameters", "bounded", "gain", "start"]

BOUND = 1.5
"""How far the logarithm of a gain can go: 4.5 times more or less."""
LEVELS = (60.0, 300.0)
"""mg/dL between which the level that pulls glucose stays."""
BEYOND = 50.0
"""mg/dL that its mean may lie beyond: about a deviation of somebody's whom nobody knows yet."""
BOUNDS = (20.0, 600.0)
"""mg/dL between which a sensor can show something (a reading in mmol/L as mg/dL lies below, one taken twice above)."""
FLOOR = 39.6
"""mg/dL, the least that most sensors show."""

GLUCOSE, DISTURBANCE, FLOW, LEVEL, MEAL, INSULIN = range(6)
"""Places in the state."""

_LEAST = np.array([LEVELS[0] - BEYOND, -2 * BOUND, -2 * BOUND])[:, None]
_MOST = np.array([LEVELS[1] + BEYOND, 2 * BOUND, 2 * BOUND])[:, None]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is the same for all people of a prior; minutes, mg/dL, g, [iU]."""

    clearance: float = 0.008
    """p, 1/min."""
    disturbance_minutes: float = 14.5
    flow_minutes: float = 13.1
    flow_deviation: float = 1.3
    """Of q in the long run, mg/dL/min."""
    meal_gain: float = 1.1
    """K_M, mg/dL for each g absorbed."""
    insulin_gain: float = 0.005
    """K_I, 1/[iU]."""
    level: float = 150.0
    level_deviation: float = 40.0
    level_wander: float = 15.0
    """Of b in a day."""
    gain_deviation: float = 0.5
    gain_wander: float = 0.1
    """Of m and s in a day."""
    reading_deviation: float = 0.4
    """The sensor's own noise, mg/dL."""


def gain(logarithm: Array) -> Array:
    """exp of a logarithm kept within BOUND."""
    return np.asarray(np.exp(BOUND * np.tanh(logarithm / BOUND)))


def bounded(state: State) -> State:
    """The state with level and gains where they still move something, as far as true readings lead (the level of
    ShanghaiT1DM's six to 333): farther out nothing would bring them back."""
    lasting = state.mean[LEVEL:]
    kept = np.minimum(np.maximum(lasting, _LEAST), _MOST)
    if (kept == lasting).all():
        return state
    return replace(state, mean=np.concatenate([state.mean[:LEVEL], kept]))


@dataclass(frozen=True, slots=True)
class GlucoseProcess:
    """One interval: `absorbed` has what left each chain of `intake` in it, (3, twins)."""

    parameters: Parameters
    absorbed: Array
    curved: ClassVar = slice(GLUCOSE, GLUCOSE + 1)

    def move(self, points: Array, minutes: Array) -> Array:
        known = self.parameters
        moved = np.empty_like(points)
        moved[LEVEL:] = points[LEVEL:]
        fast, slow = np.exp(-minutes / known.disturbance_minutes), np.exp(-minutes / known.flow_minutes)
        ratio = known.flow_minutes / (known.flow_minutes - known.disturbance_minutes)
        fed = ratio * points[FLOW]
        own = points[DISTURBANCE] - fed
        np.multiply(points[FLOW], slow, out=moved[FLOW])
        moved[DISTURBANCE] = own * fast + fed * slow
        inflow = own * (known.disturbance_minutes * (1 - fast)) + fed * (known.flow_minutes * (1 - slow))
        inflow += known.clearance * minutes * np.minimum(np.maximum(points[LEVEL], LEVELS[0]), LEVELS[1])
        loss = known.clearance * minutes
        meals, doses = known.meal_gain * self.absorbed[0], known.insulin_gain * self.absorbed[1]
        if self.absorbed[:2].any():
            inflow += meals * gain(points[MEAL])
            loss = loss + doses * gain(points[INSULIN])
        kept = np.exp(-loss)
        moved[GLUCOSE] = points[GLUCOSE] * kept + inflow * ((1 - kept) / np.where(loss > 0, loss, 1.0))
        return moved

    def noise(self, minutes: Array) -> Array:
        """What drives q, and what of it r and G have felt by the end, to first order; the wandering of b, m and s."""
        known = self.parameters
        columns = np.zeros((6, 5, minutes.shape[-1]))
        flow = known.flow_deviation * np.sqrt(1 - np.exp(-2 * minutes / known.flow_minutes))
        felt = 1 - np.exp(-minutes / (2 * known.disturbance_minutes))
        columns[GLUCOSE, 0] = flow * felt * minutes / 3
        columns[DISTURBANCE, 0] = flow * felt
        columns[FLOW, 0] = 0.8 * flow
        columns[FLOW, 1] = 0.6 * flow
        days = np.sqrt(minutes / 1440)
        columns[LEVEL, 2] = known.level_wander * days
        columns[MEAL, 3] = columns[INSULIN, 4] = known.gain_wander * days
        return columns


@dataclass(frozen=True, slots=True)
class GlucoseSensor:
    """A sensor under the skin: reads G, with noise of `deviation` mg/dL."""

    deviation: float

    def read(self, points: Array) -> Array:
        return points[GLUCOSE : GLUCOSE + 1]

    def noise(self, mean: Array) -> Array:
        return np.full((1, 1, mean.shape[-1]), self.deviation)


def start(twins: int, parameters: Parameters | None = None) -> State:
    """What is known of people before any reading."""
    known = parameters or Parameters()
    mean = np.zeros((6, twins))
    mean[GLUCOSE], mean[LEVEL] = 140.0, known.level
    flow, personal = known.flow_deviation, known.gain_deviation
    deviations = np.array([60.0, flow, flow, known.level_deviation, personal, personal])
    return State(mean, diagonal(np.repeat(deviations[:, None], twins, axis=1)))

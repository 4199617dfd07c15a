"""Glucose behind a sensor that drifts: beliefs side by side, weighed by how well each foretells the readings.

The first believes what was announced (meals, doses) and lets little else happen, the second lets more, and the last
knows nothing of it and expects anything. Where everything was announced the first soon has the weight, and where meals
were kept from it the last: weights are the beliefs' likelihoods, older ones forgotten (a static bank after Magill, IEEE
TAC 1965).

>>> memory = start(2)
>>> memory, estimate = step(memory, np.full(2, 3.0), np.array([120.0, 130.0]))
>>> bool(estimate[0] < estimate[1])
True
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from . import drifting, intake
from .drifting import Drift, DriftingProcess, DriftingSensor
from .factors import Array
from .filter import Filter, State
from .glucose import GLUCOSE, GlucoseProcess, Parameters

__all__ = ["BELIEFS", "Belief", "Memory", "start", "step"]

FILTER = Filter(0.5)
WHITE = 0.5
"""mg/dL by which a reading differs from glucose and drift."""
FORGOTTEN = 300.0
"""Minutes after which a reading's likelihood counts a third."""


@dataclass(frozen=True, slots=True)
class Belief:
    """How glucose and sensor behave, and how fast what is taken acts (minutes by intake.CHAINS); `told` says whether
    what was announced counts."""

    parameters: Parameters
    drift: Drift
    minutes: tuple[float, float, float]
    told: bool


TOLD = Belief(
    Parameters(
        clearance=0.0058,
        disturbance_minutes=9.048,
        flow_minutes=9.359,
        flow_deviation=0.4102,
        meal_gain=4.299,
        insulin_gain=0.3625,
        level_wander=4.354,
        level=164.2,
        gain_deviation=0.4,
        gain_wander=0.05,
    ),
    Drift(42.0, 8.724),
    (54.53, 149.8, 480.0),
    told=True,
)
UNTOLD = Belief(
    Parameters(
        clearance=0.013,
        disturbance_minutes=20.19,
        flow_minutes=14.0,
        flow_deviation=1.175,
        level_wander=11.29,
        level=156.9,
    ),
    Drift(42.0, 9.695),
    (40.0, 60.0, 480.0),
    told=False,
)
BELIEFS = (TOLD, replace(TOLD, parameters=replace(TOLD.parameters, flow_deviation=0.65, level_wander=5.0)), UNTOLD)
"""Fitted on every third of simglucose's patients, and judged on the others (`scripts/evaluate denoise`)."""


@dataclass(frozen=True, slots=True)
class Memory:
    """By belief: its state and what is on board; `weights` (beliefs, twins), the logarithms of likelihoods."""

    states: tuple[State, ...]
    on_board: tuple[Array, ...]
    weights: Array


def start(twins: int) -> Memory:
    """Nothing is known of anybody."""
    states = tuple(drifting.start(twins, each.parameters, each.drift) for each in BELIEFS)
    return Memory(states, tuple(intake.start(twins) for _ in BELIEFS), np.zeros((len(BELIEFS), twins)))


def step(
    memory: Memory,
    minutes: Array,
    reading: Array,
    carbohydrate: Array | None = None,
    rapid: Array | None = None,
) -> tuple[Memory, Array]:
    """After `minutes` (twins) and a reading (twins; NaN is none) in mg/dL: what is known, and glucose as it then is.

    What was announced since the reading before, g and [iU] (twins), acts from the reading before on.
    """
    states, boards, weights, estimates = [], [], memory.weights * np.exp(-minutes / FORGOTTEN), []
    for place, belief in enumerate(BELIEFS):
        board = memory.on_board[place]
        if belief.told:
            board = intake.taken(board, carbohydrate, rapid)
        board, absorbed = intake.move(board, minutes, np.array(belief.minutes))
        process = DriftingProcess(GlucoseProcess(belief.parameters, absorbed), belief.drift)
        moved = FILTER.predict(memory.states[place], process, minutes)
        expected = FILTER.expect(moved, DriftingSensor(WHITE))
        update = expected.update(reading[None])
        likelihood = -0.5 * update.nis - np.log(expected.factor[0, 0])
        weights[place] += np.where(update.degrees > 0, likelihood, 0.0)
        states.append(update.state)
        boards.append(board)
        estimates.append(update.state.mean[GLUCOSE])
    share = np.exp(weights - weights.max(axis=0))
    estimate = (share * np.stack(estimates)).sum(axis=0) / share.sum(axis=0)
    return Memory(tuple(states), tuple(boards), weights), estimate

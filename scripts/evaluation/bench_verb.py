"""`scripts/evaluate bench`: how fast the twin is on one core, beside filterpy on the same model in the same run."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from dtledger.twin import gate, glucose, intake, prior, twin
from dtledger.twin.filter import State
from dtledger.twin.glucose import GlucoseProcess, GlucoseSensor
from dtledger.twin.keeper import Keeper

from .asked import positive
from .goals import Goals

TEXT = "twin-steps a second, beside filterpy on the same model"
EVERY = 5.0
"""Minutes between readings; each twin has a phase of its own."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--twins", type=positive, default=1000, metavar="N", help="how many at once")
    parser.add_argument(
        "--steps", type=positive, default=40, metavar="N", help="in each of five runs, of which the best counts"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    draw, goals = np.random.default_rng(options.seed), Goals()
    whole, one, bare_one = kept_walker(options.twins, draw), kept_walker(1, draw), walker(1, draw)
    ungated = walker(options.twins, draw)
    alone = filterer(options.twins, draw)
    many = options.twins / best(whole, options.steps)
    bare = options.twins / best(alone, options.steps)
    single, bare_single = best(one, 10 * options.steps), best(bare_one, 10 * options.steps)
    unjudged = options.twins / best(ungated, options.steps)
    rival = 1 / best(filterpy_walker(draw), options.steps)
    goals.at_least(f"steps with the gate a second, {options.twins:,} twins", many, 80_000)
    goals.at_least("times filterpy's, steps with the gate", many / rival, 10)
    goals.at_most("one reading of one twin with the gate, ms", 1000 * single, 1.0)
    print("\n".join(goals.lines))
    print(
        f"\nwithout the gate {unjudged:,.0f} twin-steps/s, and {1000 * bare_single:.2f} ms for one reading of one twin"
    )
    print(f"the filter alone {bare:,.0f} twin-steps/s; filterpy, which does that alone, {rival:,.0f}")
    print("A step is the filter, all learning and the three forecasts with their intervals.")
    return {"verb": "bench", "goals": goals.rows, "without_gate": unjudged, "filter_alone": bare, "filterpy": rival}


def best(step: Callable[[], None], steps: int) -> float:
    """Seconds of this process for one step: the best of five runs, for others use the machine too."""
    step()
    runs = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(steps):
            step()
        runs.append((time.process_time() - began) / steps)
    return min(runs)


def walker(twins: int, draw: np.random.Generator) -> Callable[[], None]:
    """Whole steps from a day on: reading, learning, forecast."""
    known = prior.shipped()
    memory = twin.start(known, twins)
    minutes = draw.integers(0, 15, twins).astype(np.float64)

    def step() -> None:
        nonlocal memory, minutes
        minutes = minutes + EVERY
        reading = 140 + 40 * np.sin(minutes / 100) + draw.normal(size=twins)
        memory = twin.expect(known, memory, minutes).take(reading).memory
        twin.forecast(known, memory)

    for _ in range(30):
        step()
    return step


def kept_walker(twins: int, draw: np.random.Generator) -> Callable[[], None]:
    """The same through the keeper, whose gate judges all and sets nothing aside."""
    keeper = Keeper(prior.shipped(), replace(gate.shipped(), level=math.inf))
    memory, minutes = keeper.start(twins), draw.integers(0, 15, twins).astype(np.float64)

    def step() -> None:
        nonlocal memory, minutes
        minutes = minutes + EVERY
        memory = keeper.take(memory, minutes, 140 + 40 * np.sin(minutes / 100) + draw.normal(size=twins)).memory
        twin.forecast(keeper.prior, memory.twin)

    for _ in range(30):
        step()
    return step


def filterer(twins: int, draw: np.random.Generator) -> Callable[[], None]:
    """The filter alone."""
    known = prior.shipped().parameters
    state, minutes = glucose.start(twins, known), np.full(twins, EVERY)
    _, absorbed = intake.move(intake.start(twins), minutes)

    def step() -> None:
        nonlocal state
        moved = twin.FILTER.predict(state, GlucoseProcess(known, absorbed), minutes)
        expected = twin.FILTER.expect(moved, GlucoseSensor(known.reading_deviation))
        state = expected.update(140 + draw.normal(size=(1, twins))).state

    return step


def filterpy_walker(draw: np.random.Generator) -> Callable[[], None]:
    """The same filter of the same model, one twin a step, as filterpy has it."""
    from filterpy.kalman import MerweScaledSigmaPoints, UnscentedKalmanFilter

    known, minutes = prior.shipped().parameters, np.full(1, EVERY)
    process, began = GlucoseProcess(known, np.zeros((3, 1))), glucose.start(1, known)
    points = MerweScaledSigmaPoints(6, twin.FILTER.alpha, twin.FILTER.beta, twin.FILTER.kappa)
    rival = UnscentedKalmanFilter(
        6,
        1,
        EVERY,
        hx=lambda x: x[:1],
        fx=lambda x, _: process.move(x[:, None, None], minutes)[:, 0, 0],
        points=points,
    )
    rival.x, rival.P = began.mean[:, 0], began.covariance[:, :, 0]
    rival.Q = State(began.mean, process.noise(minutes)).covariance[:, :, 0]
    rival.R = np.array([[known.reading_deviation**2]])

    def step() -> None:
        rival.predict()
        rival.update(140 + draw.normal(size=1))

    return step

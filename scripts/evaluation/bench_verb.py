"""`scripts/evaluate bench`: how fast the twin is on one core, beside filterpy on the same model in the same run."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from dtledger.twin import gate, glucose, intake, prior, twin
from dtledger.twin.factors import Array
from dtledger.twin.filter import State
from dtledger.twin.glucose import GlucoseProcess, GlucoseSensor
from dtledger.twin.keeper import Keeper

from .asked import once, positive
from .goals import Goals
from .people import people

TEXT = "twin-steps a second, beside filterpy on the same model"
EVERY = 5.0
"""Minutes between readings; each twin has a phase of its own."""

Glucose = Callable[[Array], Array]
"""Of twins at their minutes, (steps, twins)."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--train", action="append", metavar="DIR:IDS", help="of no use: the package's prior is measured"
    )
    parser.add_argument(
        "--test", action="append", metavar="DIR:IDS", help="whose readings are taken, else those of made-up people"
    )
    parser.add_argument("--twins", type=positive, default=1000, metavar="N", help="how many at once")
    parser.add_argument(
        "--steps", type=positive, default=40, metavar="N", help="in each of five runs, of which the best counts"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    draw, goals = np.random.default_rng(options.seed), Goals()
    sugar = made_up(draw) if options.test is None else recorded(options.test, draw)
    whole, one, bare_one = kept_walker(options.twins, draw, sugar), kept_walker(1, draw, sugar), walker(1, draw, sugar)
    ungated = walker(options.twins, draw, sugar)
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


def made_up(draw: np.random.Generator) -> Glucose:
    """Glucose that goes up and down, and a sensor's noise."""
    return lambda minutes: 140 + 40 * np.sin(minutes / 100) + draw.normal(size=minutes.shape)


def recorded(given: Sequence[str], draw: np.random.Generator) -> Glucose:
    """Glucose of people in turn, on straight lines between their readings, each twin from a time of its own on."""
    curves = []
    for person in once([people(each) for each in given]):
        glucose, minutes = (
            np.concatenate([getattr(each, name) for each in person.segments]) for name in ("glucose", "minutes")
        )
        there = ~np.isnan(glucose)
        curves.append((minutes[there], glucose[there]))

    def at(minutes: Array) -> Array:
        found, begin = np.empty_like(minutes), draw.random((minutes.shape[1],))
        for i, (times, values) in enumerate(curves):
            mine, length = slice(i, None, len(curves)), times[-1] - times[0] + EVERY
            found[:, mine] = np.interp(times[0] + (begin[mine] * length + minutes[:, mine]) % length, times, values)
        return found

    return at


def coming(twins: int, draw: np.random.Generator, sugar: Glucose) -> Iterator[tuple[Array, Array]]:
    """Minutes and readings of each step, which are made before any is timed; after a day that day's again."""
    minutes = draw.integers(0, 15, twins) + EVERY * np.arange(1.0, 1 + 1440 / EVERY)[:, None]
    readings = sugar(minutes)
    return ((row + 1440 * day, reading) for day in count() for row, reading in zip(minutes, readings, strict=True))


def walker(twins: int, draw: np.random.Generator, sugar: Glucose) -> Callable[[], None]:
    """Whole steps: reading, learning, forecast."""
    known, rows = prior.shipped(), coming(twins, draw, sugar)
    memory = twin.start(known, twins)

    def step() -> None:
        nonlocal memory
        minutes, reading = next(rows)
        memory = twin.expect(known, memory, minutes).take(reading).memory
        twin.forecast(known, memory)

    for _ in range(30):
        step()
    return step


def kept_walker(twins: int, draw: np.random.Generator, sugar: Glucose) -> Callable[[], None]:
    """The same through the keeper, whose gate judges all and sets nothing aside."""
    keeper, rows = Keeper(prior.shipped(), replace(gate.shipped(), level=math.inf)), coming(twins, draw, sugar)
    memory = keeper.start(twins)

    def step() -> None:
        nonlocal memory
        minutes, reading = next(rows)
        memory = keeper.take(memory, minutes, reading).memory
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

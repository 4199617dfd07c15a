"""A glucose twin, one reading at a time: filter, learn, forecast. The gateway's own path.

A `Memory` is all that is known of so many people, and is never changed: `step` gives the next. So a gate can look at
what is to come before a reading is taken, take it as missing, or go back to an earlier memory and take the readings
again.

>>> from .prior import NEWBORN
>>> memory = start(NEWBORN, 1)
>>> for minute in range(0, 120, 15):
...     coming = expect(NEWBORN, memory, np.array([float(minute)]))
...     memory = coming.take(np.array([120.0])).memory
>>> forecast(NEWBORN, memory).mean[:, 0].round(6).tolist()
[120.0, 120.0, 120.0]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import batch, day, features, glucose, intake, past, personal
from .factors import Array
from .features import HORIZONS, SCALES, Seen
from .filter import Expected, Filter, State
from .past import LONG_AGO
from .prior import Prior

__all__ = ["Announced", "Coming", "Forecast", "Memory", "Step", "expect", "forecast", "start"]

FILTER = Filter(0.5)
ORIGINS = 7
"""Forecasts that wait for what they foretold, and the newest."""
APART = 14.0
"""Minutes between two that wait, and between two readings of the day: near ones would teach the same once more."""
NEAR = 3.0
"""Minutes by which a reading may miss the time that was foretold."""
NIS_READINGS = 50.0
"""How many readings the personal size of innovations is a mean of."""
NIS_MOST = 16.0
"""Of a normalised innovation squared, that moves it."""

Flags = npt.NDArray[np.bool_]

_AHEAD = np.array(HORIZONS)[:, None]

G, ROUGH, SIZE, BASIS = slice(0, 1), slice(1, 4), slice(4, 7), slice(7, 7 + features.BASIS)
"""Rows of an origin: glucose, forecast changes of all people, foretold sizes of their errors, basis."""


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is known. `at` (twins) is the minute that the state stands at, LONG_AGO before the first
    reading; `ate` the last meal's;
    `origins` (17, 7, twins) past forecasts, the newest last, made at `origin_times` (7, twins); `size` (twins) the
    personal mean of the normalised innovation squared."""

    at: Array
    ate: Array
    state: State
    on_board: Array
    past: past.Past
    day: day.Day
    origins: Array
    origin_times: Array
    personal: personal.Personal
    size: Array


@dataclass(frozen=True, slots=True)
class Announced:
    """What was taken at a reading's time: g of carbohydrate, [iU] of rapid and of long-acting insulin, (twins) each."""

    carbohydrate: Array
    rapid: Array
    lasting: Array


@dataclass(frozen=True, slots=True)
class Forecast:
    """From the newest reading: `mean` (3, twins) in mg/dL at HORIZONS, `quantiles` (3, 6, twins) of personal.LEVELS,
    within what a sensor can show (`glucose.BOUNDS`). A mean that is not within says that the twin knows nothing."""

    mean: Array
    quantiles: Array


@dataclass(frozen=True, slots=True)
class Step:
    """A memory after a reading, and how the reading lay: `innovation` (twins) in mg/dL, 0 where missing, `whitened` in
    deviations, `nis` its square (0 where missing or censored: `seen` says where it counts). `view` is what forecasts
    look at."""

    memory: Memory
    innovation: Array
    whitened: Array
    nis: Array
    seen: npt.NDArray[np.bool_]
    view: Seen


@dataclass(frozen=True, slots=True)
class Coming:
    """The next reading before it is looked at: `mean` and `deviation` (twins) in mg/dL, as the filter expects it from
    this person. `memory` has moved to `minutes`; nothing has been learned."""

    prior: Prior
    memory: Memory
    minutes: Array
    expected: Expected

    @property
    def mean(self) -> Array:
        return np.asarray(self.expected.mean[0])

    @property
    def deviation(self) -> Array:
        return np.asarray(self.expected.factor[0, 0] * np.sqrt(self.memory.size))

    def take(self, reading: Array, sides: Array | None = None, announced: Announced | None = None) -> Step:
        """Learn a reading.

        Args:
            reading: (twins) in mg/dL; NaN is none: the twin coasts, and nothing is learned.
            sides: (twins) −1 where the true value is at most the reading (a sensor's "Low"), 1 where at least.
            announced: what was taken since the reading before.

        Raises:
            ValueError: a reading is infinite.
        """
        if np.isinf(reading).any():
            raise ValueError("a reading is a finite number, or missing")
        memory, minutes = self.memory, self.minutes
        there = ~np.isnan(reading)
        update = self.expected.update(reading[None], None if sides is None else sides[None])
        state, seen = glucose.bounded(update.state), update.degrees > 0
        size = np.where(seen, np.minimum(update.nis / memory.size, NIS_MOST) - 1, 0.0) / NIS_READINGS
        on_board, ate = memory.on_board, memory.ate
        if announced is not None:
            on_board = intake.taken(on_board, announced.carbohydrate, announced.rapid, announced.lasting)
            ate = np.where(announced.carbohydrate > 0, minutes, ate)
        before = past.learn(memory.past, minutes, reading)
        view = Seen(
            minutes,
            before.lags,
            before.slow,
            day.ahead(memory.day, minutes),
            state.mean,
            on_board,
            np.minimum(minutes - ate, 360.0),
        )
        origin = _origin(self.prior, view)
        learned = _learn(self.prior, memory, minutes, reading)
        due = there & (memory.origin_times[-1] - memory.origin_times[-2] >= APART)
        origins = _noted(memory.origins.swapaxes(0, 1), origin, due, there).swapaxes(0, 1)
        times = _noted(memory.origin_times, minutes, due, there)
        after = Memory(
            at=np.where(there | (memory.at != LONG_AGO), minutes, memory.at),
            ate=ate,
            state=state,
            on_board=on_board,
            past=before,
            day=day.learn(memory.day, minutes, np.where(due, reading, np.nan)),
            origins=origins,
            origin_times=times,
            personal=learned,
            size=memory.size * (1 + size),
        )
        deviation = np.sqrt(memory.size)
        return Step(after, update.innovation[0], update.whitened[0] / deviation, update.nis / memory.size, seen, view)


def start(prior: Prior, twins: int) -> Memory:
    """Nothing is known of anybody."""
    never = np.full(twins, LONG_AGO)
    return Memory(
        at=never,
        ate=never,
        state=glucose.start(twins, prior.parameters),
        on_board=intake.start(twins),
        past=past.start(twins),
        day=day.start(twins),
        origins=np.zeros((7 + features.BASIS, ORIGINS, twins)),
        origin_times=np.full((ORIGINS, twins), LONG_AGO),
        personal=personal.start(twins, prior.deviation, prior.quantiles),
        size=np.ones(twins),
    )


def expect(prior: Prior, memory: Memory, minutes: Array) -> Coming:
    """The reading at `minutes` (twins) of the local clock.

    Raises:
        ValueError: the clock runs back, or a minute is no number.
    """
    begun = memory.at != LONG_AGO
    elapsed = np.where(begun, minutes - memory.at, 0.0)
    if not ((elapsed >= 0) & np.isfinite(minutes)).all():
        raise ValueError("a twin's time never runs back")
    on_board, absorbed = intake.move(memory.on_board, elapsed)
    state = FILTER.predict(memory.state, glucose.GlucoseProcess(prior.parameters, absorbed), elapsed)
    expected = FILTER.expect(state, glucose.GlucoseSensor(prior.parameters.reading_deviation))
    known = memory
    moved = Memory(
        known.at,
        known.ate,
        state,
        on_board,
        known.past,
        known.day,
        known.origins,
        known.origin_times,
        known.personal,
        known.size,
    )
    return Coming(prior, moved, minutes, expected)


def forecast(prior: Prior, memory: Memory) -> Forecast:
    """What is to be expected after the newest reading."""
    newest = memory.origins[:, -1]
    rough, basis = newest[ROUGH], newest[BASIS]
    own = personal.correction(memory.personal, features.personal(rough, basis)) * SCALES
    mean = newest[G] + rough + own
    reach = newest[SIZE] * memory.personal.scale * SCALES
    ends = mean[:, None] + np.sort(memory.personal.quantiles, axis=1) * reach[:, None]
    least, most = glucose.BOUNDS
    return Forecast(mean, np.minimum(np.maximum(ends, least), most))


def _noted(before: Array, newest: Array, due: Flags, there: Flags) -> Array:
    """Rows one place on where due, and the newest as the last where there is one."""
    noted = np.empty_like(before)
    noted[:-1] = np.where(due, before[1:], before[:-1])
    noted[-1] = np.where(there, newest, before[-1])
    return noted


def _origin(prior: Prior, view: Seen) -> Array:
    basis = view.basis
    rows = features.features(view)
    rough = _mixed(prior.weights, rows)
    spread = features.spread(rows[features.CLOCK], rough, basis, rows[features.VOLATILITY])
    weights = prior.spread if prior.spread.ndim == 3 else prior.spread[:, :, None]
    size = np.exp(np.minimum(np.maximum((weights * spread).sum(axis=1), -3.0), 3.0))
    return np.concatenate([view.lags[:1], rough, size, basis])


def _mixed(weights: Array, rows: Array) -> Array:
    """Sums of rows (rows, twins) by weights (3, rows), or (3, rows, twins) where twins have priors of their own."""
    return np.asarray(weights @ rows if weights.ndim == 2 else (weights * rows).sum(axis=1))


def _learn(prior: Prior, memory: Memory, minutes: Array, reading: Array) -> personal.Personal:
    """What is learned where a reading is what an earlier forecast foretold."""
    distance = np.abs(memory.origin_times - (minutes - _AHEAD)[:, None])
    reach = np.minimum(NEAR, (minutes - memory.past.times[-1]) / 2)  # the nearest reading of a fast sensor alone
    (twins,) = np.nonzero((distance <= reach).any(axis=(0, 1)) & ~np.isnan(reading))
    if not len(twins):
        return memory.personal
    known = memory.personal if len(twins) == len(minutes) else batch.of(memory.personal, twins)
    distance = distance[:, :, twins]
    place, rows = distance.argmin(axis=1), np.arange(len(HORIZONS))[:, None]
    near = distance[rows, place, np.arange(len(twins))] <= reach[twins]
    foretold = memory.origins[:, place, twins]
    rough, sizes = foretold[1:4][range(3), range(3)], foretold[4:7][range(3), range(3)]
    inputs = features.personal(rough, foretold[BASIS])
    error = np.where(near, reading[twins] - foretold[0] - rough, np.nan) / SCALES
    scaled = (error - personal.correction(known, inputs)) / sizes
    usual = prior.usual[:, None] if prior.usual.ndim == 1 else prior.usual[:, twins]
    learned = personal.learn(known, inputs, error, scaled, usual)
    return learned if len(twins) == len(minutes) else batch.put(memory.personal, twins, learned)

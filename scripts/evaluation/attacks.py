"""What an attacker makes of eight readings, knowing the true ones, the last before them and those of a day ago."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dtledger.twin.factors import Array

from .people import CEILING, FLOOR

READINGS = 8
"""Of a window: two hours."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Windows side by side: `minutes` and `glucose` (8, windows), the readings `last` (windows) before them and a day
    `earlier` (9, windows), of which the first lies before the window."""

    minutes: Array
    glucose: Array
    last: Array
    before: Array
    earlier: Array


Attack = Callable[[Truth, np.random.Generator], Array]


@dataclass(frozen=True, slots=True)
class Row:
    """An attack and how much of it must be found at a nominal 1 and 5 %, of false alarms; or why that is not said."""

    make: Attack
    least: tuple[float, float] | None = None
    why: str = ""
    drawn: bool = False


def bias(size: float, first: int = 0) -> Attack:
    return lambda truth, draw: truth.glucose + size * (np.arange(READINGS) >= first)[:, None]


def ramp(rate: float) -> Attack:
    return lambda truth, draw: truth.glucose + rate * (truth.minutes - truth.before)


def scale(factor: float) -> Attack:
    return lambda truth, draw: truth.glucose * factor


def noise(deviation: float) -> Attack:
    return lambda truth, draw: truth.glucose + draw.normal(0, deviation, truth.glucose.shape)


def freeze(jitter: float = 0.0) -> Attack:
    return lambda truth, draw: (
        truth.last + (draw.normal(0, jitter, truth.glucose.shape) if jitter else 0 * truth.glucose)
    )


def replay(deviation: float = 0.0, joined: bool = False) -> Attack:
    def made(truth: Truth, draw: np.random.Generator) -> Array:
        values = truth.earlier[1:] + (truth.last - truth.earlier[0] if joined else 0.0)
        return values + draw.normal(0, deviation, values.shape) if deviation else values

    return made


SLOW = "slower than glucose itself moves"
ATTACKS: dict[str, Row] = {
    "bias +20": Row(bias(20), (0.70, 0.92)),
    "bias -20": Row(bias(-20), (0.70, 0.92)),
    "ramp +2": Row(ramp(2), (0.90, 0.97)),
    "ramp -2": Row(ramp(-2), (0.70, 0.90)),
    "ramp +1": Row(ramp(1), (0.12, 0.40)),
    "scale 1.3": Row(scale(1.3), (0.95, 0.98)),
    "noise 20": Row(noise(20), (0.93, 0.98), drawn=True),
    "freeze": Row(freeze(), (0.97, 0.98)),
    "replay": Row(replay(), (0.95, 0.98)),
    "replay, noise 2": Row(replay(2), (0.70, 0.83), drawn=True),
    "replay, joined": Row(replay(joined=True), (0.80, 0.90)),
    "ramp -1": Row(ramp(-1), why=SLOW),
    "ramp +0.5": Row(ramp(0.5), why=SLOW),
    "ramp -0.5": Row(ramp(-0.5), why=SLOW),
    "scale 0.7": Row(scale(0.7), why="not asked for"),
    "bias +20 from the fifth reading on": Row(bias(20, 4), why="the window ends soon after its onset"),
    "freeze with jitter 1": Row(freeze(1.0), why="a calm night looks like it", drawn=True),
}


def shown(values: Array) -> Array:
    """As the sensor can show them."""
    return np.clip(values, FLOOR, CEILING)

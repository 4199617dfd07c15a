"""What false data leave in the innovations: a generalised likelihood ratio for each attack, onset and size.

An attack adds f(t) to the readings from its onset on: a constant (bias), a line (ramp), a share of the reading (scale).
The filter believes it in part, so an innovation is not moved by f but by ρ = f − H x, where x is what the filter has
already taken for glucose: between readings x moves as the state does, and each reading adds K ρ (Willsky and Jones,
IEEE TAC 1976). For each of the last `ONSETS` onsets and each size a the ratio

    Σ log p(z − a ρ / σ) − log p(z),   z the innovation in its deviations σ,

is kept up, with p Student's: glucose leaps by itself now and then, and then does not go on as ρ does. Noise has no
signature; it makes innovations larger, and is found by Page's cumulative sum of the ratio for a wider p.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from .factors import Array, Short
from .glucose import Parameters
from .past import LONG_AGO

__all__ = [
    "ATTACKS",
    "CONSTANT",
    "FREEDOM",
    "ONSETS",
    "SIZES",
    "Memory",
    "greatest",
    "log_density",
    "move",
    "named",
    "start",
    "take",
]

ONSETS = 8
APART = 14.0
"""Minutes between two onsets that are thought of."""
LONGEST = 15.0
"""Minutes before its first false reading in which a ramp may have begun."""
FREEDOM = 5.0
"""Degrees of freedom of p."""
SIZES: dict[str, tuple[float, ...]] = {
    "bias": (-52, -32, -20, -12, 12, 20, 32, 52),
    "ramp": (-3.0, -2.0, -1.2, -0.7, 0.7, 1.2, 2.0, 3.0),
    "scale": (-0.4, -0.2, 0.13, 0.23),
}
"""mg/dL, mg/dL a minute, and the share of the false reading that is false."""
WIDER = (2.5, 5.0)
"""How much greater noise makes innovations."""

ATTACKS: tuple[tuple[str, float], ...] = tuple((name, size) for name, sizes in SIZES.items() for size in sizes)
"""Signature and size of each ratio."""
CONSTANT = math.lgamma((FREEDOM + 1) / 2) - math.lgamma(FREEDOM / 2) - 0.5 * math.log(FREEDOM * math.pi)
_OF = np.array([list(SIZES).index(name) for name, _ in ATTACKS])
_RANGES = [slice(int(rows[0]), int(rows[-1]) + 1) for rows in (np.flatnonzero(i == _OF) for i in range(len(SIZES)))]
_SIZE = np.array([size for _, size in ATTACKS])[:, None]
_SIZES = [_SIZE[rows].astype(np.float32) for rows in _RANGES]
_WIDER = np.array(WIDER)[:, None]
_THINNER = -np.log(_WIDER)
CACHED = 32_768
"""Numbers that are worked on at once."""


Numbers = TypeVar("Numbers", Array, Short)


@dataclass(frozen=True, slots=True)
class Memory:
    """By onset, the newest last: `onset` (8, twins) its first reading's minute and `before` (8, twins) the minute from
    which a ramp rises; `felt` (3, 8, 3, twins) what glucose, disturbance and flow have taken of each signature of size
    one; `ratios` (8, ATTACKS, twins). `noise` (WIDER, twins) and since when it is above 0."""

    onset: Array
    before: Array
    felt: Array
    ratios: Short
    noise: Array
    noise_since: Array


def start(twins: int) -> Memory:
    """Before the first reading."""
    return Memory(
        np.full((ONSETS, twins), LONG_AGO),
        np.full((ONSETS, twins), LONG_AGO),
        np.zeros((3, ONSETS, len(SIZES), twins)),
        np.zeros((ONSETS, len(ATTACKS), twins), dtype=np.float32),
        np.zeros((len(WIDER), twins)),
        np.full((len(WIDER), twins), LONG_AGO),
    )


def log_density(z: Array) -> Array:
    """Of Student's p, but for CONSTANT."""
    return np.asarray(-(FREEDOM + 1) / 2 * np.log1p(np.square(z) / FREEDOM))


def surprise(z: Numbers, sides: Array) -> Numbers:
    """An innovation, 0 where "at most that" (`sides` −1) was read and less expected, or "at least that" and more."""
    return np.where(sides * z < 0, 0.0, z)


def move(felt: Array, parameters: Parameters, elapsed: Array) -> Array:
    """What was felt, after `elapsed` (twins) minutes: `GlucoseProcess` without what comes from outside."""
    sugar, disturbance, flow = felt
    fast, slow = np.exp(-elapsed / parameters.disturbance_minutes), np.exp(-elapsed / parameters.flow_minutes)
    ratio = parameters.flow_minutes / (parameters.flow_minutes - parameters.disturbance_minutes)
    fed = ratio * flow
    own = disturbance - fed
    inflow = own * (parameters.disturbance_minutes * (1 - fast)) + fed * (parameters.flow_minutes * (1 - slow))
    loss = parameters.clearance * elapsed
    kept = np.exp(-loss)
    share = (1 - kept) / np.where(loss > 0, loss, 1.0)
    return np.array([sugar * kept + inflow * share, own * fast + fed * slow, flow * slow])


def take(
    memory: Memory,
    parameters: Parameters,
    minutes: Array,
    elapsed: Array,
    reading: Array,
    sides: Array,
    z: Array,
    deviation: Array,
    gain: Array,
) -> Memory:
    """The ratios with one more reading.

    Args:
        elapsed: (twins) minutes since the reading before.
        reading: (twins) in mg/dL; NaN is none.
        sides: (twins) as `Coming.take` has them.
        z, deviation: (twins) its innovation in deviations, and those in mg/dL.
        gain: (3, twins) how much of an innovation glucose, disturbance and flow take.
    """
    there = ~np.isnan(reading)
    all_there = bool(there.all())
    due = there & (minutes - memory.onset[-1] >= APART)
    onset, before, ratios = memory.onset, memory.before, memory.ratios
    felt = move(memory.felt, parameters, elapsed)
    if not all_there:
        felt = np.where(there, felt, memory.felt)
    if due.any():
        onset, before, felt = (_shifted(each, due) for each in (onset, before, felt))
        ratios = _shifted(ratios, due)
        onset[-1] = np.where(due, minutes, onset[-1])
        before[-1] = np.where(due, minutes - np.minimum(elapsed, LONGEST), before[-1])
    false = np.ones((ONSETS, len(SIZES), len(minutes)))
    false[:, 1] = minutes - before
    false[:, 2] = reading if all_there else np.where(there, reading, 0.0)
    begun = onset != LONG_AGO
    rest = false - felt[0]
    if not (all_there and begun.all()):
        rest = np.where((there & begun)[:, None], rest, 0.0)
    scaled, surprising = (rest / deviation).astype(np.float32), surprise(z, sides)
    counted = (FREEDOM + np.where(there, np.square(surprising), 0.0)).astype(np.float32)
    short = z.astype(np.float32)
    gained = np.empty_like(ratios)
    onsets = max(1, CACHED // (len(ATTACKS) * len(minutes)))
    for first in range(0, ONSETS, onsets):  # piece by piece: they are many, and each is looked at ten times
        here = slice(first, first + onsets)
        shifted = _attacked(short, scaled[here], gained[here])
        if sides.any():
            shifted[:] = surprise(shifted, sides)
        if not all_there:
            shifted[:] = np.where(there, shifted, 0.0)
        np.square(shifted, out=shifted)
        shifted += FREEDOM
        np.divide(counted, shifted, out=shifted)
        np.log(shifted, out=shifted)
        shifted *= (FREEDOM + 1) / 2
        shifted += ratios[here]
    z = surprising
    wider = _THINNER + log_density(z / _WIDER) - log_density(z)
    noise = np.maximum(memory.noise + wider, 0.0)
    if not all_there:
        noise = np.where(there, noise, memory.noise)
    since = np.where(there & (memory.noise <= 0), minutes, memory.noise_since)
    return Memory(onset, before, felt + gain[:, None, None] * rest, gained, noise, since)


def _attacked(z: Short, rest: Short, out: Short) -> Short:
    """Into `out`: the innovation without each attack, (onsets, ATTACKS, twins); `rest` (onsets, SIZES, twins) is of
    size one."""
    for place, (rows, sizes) in enumerate(zip(_RANGES, _SIZES, strict=True)):
        np.multiply(rest[:, place, None], sizes, out=out[:, rows])
    return np.subtract(z, out, out=out)


def greatest(memory: Memory) -> Array:
    """By name (SIZES and noise, twins): the greatest logarithm of a ratio."""
    found = [memory.ratios[:, each].max(axis=(0, 1)) for each in _RANGES]
    return np.array([*found, memory.noise.max(axis=0)])


def named(memory: Memory) -> tuple[Array, Array, Array]:
    """What is `greatest`, its onset, and the size it is of."""
    twins = np.arange(memory.noise.shape[1])
    found = []
    for place in range(len(SIZES)):
        some = memory.ratios[:, place == _OF]
        flat = some.reshape(-1, len(twins))
        best = flat.argmax(axis=0)
        slot, size = np.divmod(best, some.shape[1])
        found.append((flat[best, twins], memory.onset[slot, twins], _SIZE[place == _OF][size, 0]))
    best = memory.noise.argmax(axis=0)
    found.append((memory.noise[best, twins], memory.noise_since[best, twins], np.array(WIDER)[best]))
    ratio, onset, size = (np.array(each) for each in zip(*found, strict=True))
    return ratio, onset, size


def _shifted(array: Numbers, due: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Numbers:
    """With the onsets (the axis of eight) one place on and nothing at the last, where due."""
    moved = np.empty_like(array)
    after, before = (each if array.ndim < 4 else each.swapaxes(0, 1) for each in (moved, array))
    after[:-1], after[-1] = np.where(due, before[1:], before[:-1]), np.where(due, 0.0, before[-1])
    return moved

"""A person's day: what glucose tends to be at each time of it, learned as the days pass.

Two profiles of a quarter-hour's steps: a sharp one, which mostly remembers the last few days, and a broad one. Each
reading is shared out over the times near its own by a Gaussian kernel (Nadaraya and Watson); what is older than a day
counts less. Only differences within a day are asked of it, shrunk where little was seen: somebody new has a flat day.

>>> day, at = start(1), np.array([600.0])
>>> for hour in range(24):
...     day = learn(day, np.array([hour * 60.0]), np.array([200.0 if hour == 11 else 100.0]))
>>> changes = ahead(day, at)
>>> bool(changes[3, 0] > changes[0, 0] > 0)
True
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .factors import Array
from .past import LONG_AGO

__all__ = ["AHEAD", "Day", "ahead", "learn", "start"]

STEPS = 96
STEP = 1440 / STEPS
"""Minutes."""
WIDTHS = (20.0, 60.0)
"""Minutes of each profile's kernel."""
REMEMBERED = (0.8, 0.9)
"""What a profile keeps of its weight over a day."""
AHEAD = ((1, 2, 4, 6, 8), (1, 2, 4))
"""How many steps ahead each profile is looked at."""
LONGEST = 1440.0 * 365
"""Minutes after which a profile has faded whatever comes."""
DOUBT = 1.0
"""The weight of knowing nothing, in readings a quarter of an hour apart at one time of day."""

_OFFSETS = tuple(np.arange(-reach, reach + 1) for reach in (int(3 * width // STEP) for width in WIDTHS))
_KERNELS = tuple(
    np.exp(-0.5 * (offsets * STEP / width) ** 2)[:, None] for offsets, width in zip(_OFFSETS, WIDTHS, strict=True)
)


@dataclass(frozen=True, slots=True)
class Day:
    """Weighted sums of readings and the weights, by profile and step, (2, 96, twins) each, as they stood at the minute
    `at` (twins) of the newest."""

    sums: Array
    weights: Array
    at: Array


def start(twins: int) -> Day:
    return Day(np.zeros((2, STEPS, twins)), np.zeros((2, STEPS, twins)), np.full(twins, LONG_AGO))


def learn(day: Day, minutes: Array, glucose: Array) -> Day:
    """The profiles with a reading (twins; NaN is none) at `minutes` of the local clock."""
    (twins,) = np.nonzero(~np.isnan(glucose))
    if not len(twins):
        return day
    elapsed = np.minimum(minutes[twins] - day.at[twins], LONGEST)
    kept = np.ones((2, len(minutes)))
    kept[:, twins] = np.array(REMEMBERED)[:, None] ** (elapsed / 1440)
    sums, weights = day.sums * kept[:, None], day.weights * kept[:, None]
    share = np.minimum(elapsed / STEP, 1.0)
    value, step = share * glucose[twins], _step(minutes[twins])
    for profile, (offsets, kernel) in enumerate(zip(_OFFSETS, _KERNELS, strict=True)):
        place = (step + offsets[:, None]) % STEPS
        sums[profile, place, twins] += kernel * value
        weights[profile, place, twins] += kernel * share
    at = day.at.copy()
    at[twins] = minutes[twins]
    return Day(sums, weights, at)


def ahead(day: Day, minutes: Array) -> Array:
    """How much each profile changes from `minutes` to each of AHEAD, mg/dL: (8, twins)."""
    step, twins = _step(minutes), np.arange(len(minutes))
    found = []
    for profile, steps in enumerate(AHEAD):
        place = (step + np.array((0, *steps))[:, None]) % STEPS
        weight = day.weights[profile, place, twins]
        level = day.sums[profile, place, twins] / np.maximum(weight, 1e-9)
        least = np.minimum(weight[1:], weight[:1])
        found.append((level[1:] - level[:1]) * (least / (least + DOUBT)))
    return np.concatenate(found)


def _step(minutes: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.asarray(minutes % 1440 // STEP, dtype=np.int64)

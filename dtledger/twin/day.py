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

_REACHES = [np.arange(-reach, reach + 1) for reach in (int(3 * width // STEP) for width in WIDTHS)]
_OFFSETS = np.concatenate(_REACHES)[:, None]
_OF_OFFSET = np.repeat([0, 1], [len(each) for each in _REACHES])[:, None]
_KERNEL = np.exp(-0.5 * (_OFFSETS * STEP / np.array(WIDTHS)[_OF_OFFSET]) ** 2)
"""By profile and step from the reading's own: where it is shared out, and how much of it."""
_STEPS = np.array([step for steps in AHEAD for step in steps])[:, None]
_OF_STEP = np.repeat([0, 1], [len(steps) for steps in AHEAD])
_REMEMBERED = np.array(REMEMBERED)[:, None]


@dataclass(frozen=True, slots=True)
class Day:
    """Weighted sums of readings and the weights, by profile and step, (2, 96, twins) each, as they stood at the minute
    `at` (twins) of the newest."""

    sums: Array
    weights: Array
    at: Array


def start(twins: int) -> Day:
    """What is known of a day before the first reading."""
    return Day(np.zeros((2, STEPS, twins)), np.zeros((2, STEPS, twins)), np.full(twins, LONG_AGO))


def learn(day: Day, minutes: Array, glucose: Array) -> Day:
    """The profiles with a reading (twins; NaN is none) at `minutes` of the local clock."""
    (twins,) = np.nonzero(~np.isnan(glucose))
    if not len(twins):
        return day
    elapsed = np.minimum(minutes[twins] - day.at[twins], LONGEST)
    kept = np.ones((2, len(minutes)))
    kept[:, twins] = _REMEMBERED ** (elapsed / 1440)
    sums, weights = day.sums * kept[:, None], day.weights * kept[:, None]
    share = np.minimum(elapsed / STEP, 1.0)
    place = (_step(minutes[twins]) + _OFFSETS) % STEPS
    sums[_OF_OFFSET, place, twins] += _KERNEL * (share * glucose[twins])
    weights[_OF_OFFSET, place, twins] += _KERNEL * share
    at = day.at.copy()
    at[twins] = minutes[twins]
    return Day(sums, weights, at)


def ahead(day: Day, minutes: Array) -> Array:
    """How much each profile changes from `minutes` to each of AHEAD, mg/dL: (8, twins)."""
    step, twins = _step(minutes), np.arange(len(minutes))
    place = (step + _STEPS) % STEPS
    weight, sums = day.weights[_OF_STEP[:, None], place, twins], day.sums[_OF_STEP[:, None], place, twins]
    now_weight, now_sums = day.weights[:, step, twins], day.sums[:, step, twins]
    now = (now_sums / np.maximum(now_weight, 1e-9))[_OF_STEP]
    least = np.minimum(weight, now_weight[_OF_STEP])
    return np.asarray((sums / np.maximum(weight, 1e-9) - now) * (least / (least + DOUBT)))


def _step(minutes: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.asarray(minutes % 1440 // STEP, dtype=np.int64)

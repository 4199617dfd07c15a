"""How time is taken: by `perf_counter`, several times, and the median counts.

Two sides that are compared run in turns, so that a slow moment of the machine meets both; each runs once before
anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

SLICES = 5
"""A rate is the median of this many slices of time."""


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes, once."""
    begun = perf_counter()
    work()
    return perf_counter() - begun


def in_turns(ours: Callable[[], object], rival: Callable[[], object], runs: int) -> tuple[float, float]:
    """The median seconds of each."""
    ours(), rival()
    times = [(seconds(ours), seconds(rival)) for _ in range(runs)]
    return median(one for one, _ in times), median(other for _, other in times)


def rate(work: Callable[[], int], lasting: float) -> float:
    """How much `work` does a second; it says how much it did. It is called for `lasting` seconds."""
    work()
    return median(_slice(work, lasting / SLICES) for _ in range(SLICES))


def _slice(work: Callable[[], int], lasting: float) -> float:
    begun = perf_counter()
    done = 0
    while (spent := perf_counter() - begun) < lasting or not done:
        done += work()
    return done / spent

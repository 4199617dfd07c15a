"""How time is taken: by `perf_counter`, several times, and the median counts.

Two sides that are compared run in turns, so that a slow moment of the machine meets both; each runs once before
anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

SLICES = 5
"""A rate is the median of this many slices of time."""


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes, once."""
    begun = perf_counter()
    work()
    return perf_counter() - begun


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of several runs: their median, and the fastest, which says what a busy machine added."""

    p50: float
    best: float


def in_turns(ours: Callable[[], object], rival: Callable[[], object], runs: int) -> tuple[Times, Times]:
    """The times of each."""
    ours(), rival()
    both = [(seconds(ours), seconds(rival)) for _ in range(runs)]
    one, other = zip(*both, strict=True)
    return Times(median(one), min(one)), Times(median(other), min(other))


def rate(work: Callable[[], int], lasting: float, before: Callable[[], object] = lambda: None) -> float:
    """How much `work` does a second; it says how much it did. It is called for `lasting` seconds; what `before` makes
    ready for each call is not timed."""
    before(), work()
    return median(_slice(work, lasting / SLICES, before) for _ in range(SLICES))


def _slice(work: Callable[[], int], lasting: float, before: Callable[[], object]) -> float:
    done, spent = 0, 0.0
    while spent < lasting:
        before()
        begun = perf_counter()
        done += work()
        spent += perf_counter() - begun
    return done / spent

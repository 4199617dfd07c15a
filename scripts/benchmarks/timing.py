"""How time is taken: by `perf_counter`, several times, and the median counts.

Two sides that are compared run in turns, so that a slow moment of the machine meets both; each runs once before
anything is timed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TypeVar

T = TypeVar("T")

SLICES = 5
"""A rate is the median of this many slices of time."""


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` gives, and the seconds that it takes, once."""
    begun = perf_counter()
    made = work()
    return made, perf_counter() - begun


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of several runs: their median. On a busy machine the fastest run, and the median of the processor's
    time that this process alone took, say more."""

    p50: float
    best: float
    cpu: float

    @classmethod
    def of(cls, runs: Sequence[tuple[float, float]]) -> Times:
        """`runs` has (seconds, seconds of the processor)."""
        walls, cpus = zip(*runs, strict=True)
        return cls(median(walls), min(walls), median(cpus))


def in_turns(ours: Callable[[], object], rival: Callable[[], object], runs: int) -> tuple[Times, Times]:
    """The times of each."""
    one, other = all_in_turns([ours, rival], runs)
    return one, other


def all_in_turns(sides: Sequence[Callable[[], object]], runs: int) -> list[Times]:
    """The times of each of several sides."""
    for side in sides:
        side()
    rounds = [[_run(side) for side in sides] for _ in range(runs)]
    return [Times.of(each) for each in zip(*rounds, strict=True)]


def _run(work: Callable[[], object]) -> tuple[float, float]:
    cpu = process_time()
    _, wall = timed(work)
    return wall, process_time() - cpu


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


def seconds_of(process: int | None) -> float:
    """The processor's seconds that a process has used, from Linux's /proc; 0 elsewhere."""
    stat = Path(f"/proc/{process}/stat")
    if process is None or not stat.exists():
        return 0.0
    ticks = stat.read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def seconds_of_children() -> float:
    """The same of the processes that this one started and that have ended."""
    found = os.times()
    return found.children_user + found.children_system

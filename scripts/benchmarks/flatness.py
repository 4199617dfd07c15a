"""What may rise how much in a soak, and the verdict.

A quantity is flat if the line by least squares through its samples after the first third rises over them by no more
than `BOUNDS`. In the first third everything is met for the first time: pages of libraries, statements, threads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import linear_regression, mean

WARM_UP = 3
"""The first of so many parts of the time does not count."""

KEPT_PACE = 0.95
"""Of its turns what is done at a pace must take that part, or the machine was too busy for what is tried here."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a quantity may rise by over a soak: so much, or that part of its mean, whichever is more."""

    unit: str
    rise: float
    part: float


BOUNDS: Mapping[str, Bound] = {
    "memory": Bound("MiB", 4.0, 0.0),
    "handles": Bound("", 4.0, 0.0),
    "latency": Bound("ms", 10.0, 0.25),
}


@dataclass(slots=True)
class Series:
    """One quantity of one process: minutes since the start, and values."""

    what: str
    of: str
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def note(self, at: float, value: float) -> None:
        self.times.append(at)
        self.values.append(value)

    @property
    def settled(self) -> tuple[Sequence[float], Sequence[float]]:
        """After the warm-up."""
        first = len(self.times) // WARM_UP
        return self.times[first:], self.values[first:]

    @property
    def rise(self) -> float:
        """What the line through them rises by, from the first that counts to the last."""
        times, values = self.settled
        return linear_regression(times, values).slope * (times[-1] - times[0]) if len(times) > 1 else 0.0

    @property
    def allowed(self) -> float:
        bound = BOUNDS[self.what]
        return max(bound.rise, bound.part * mean(self.settled[1]))

    @property
    def is_flat(self) -> bool:
        return self.rise <= self.allowed

    def __str__(self) -> str:
        """A row of the table."""
        if not self.values:
            return f"{self.what:<9} {self.of:<12} nothing was taken"
        values = self.settled[1]
        figures = (values[0], values[-1], mean(values), self.rise, self.allowed)
        cells = " ".join(f"{figure:8.1f}" for figure in figures)
        return f"{self.what:<9} {self.of:<12} {cells} {BOUNDS[self.what].unit:<3} {'' if self.is_flat else 'RISES'}"


@dataclass(slots=True)
class Soaked:
    """What was taken. `answered`: requests that each custodian had answered, of which each sample is a number;
    `paced`: what was done, in how many turns; `failed`: what did, how often; `busy`: cores, with others' work too."""

    series: Sequence[Series]
    answered: Sequence[Series] = ()
    paced: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=Counter)
    busy: float = 0.0

    @property
    def faults(self) -> list[str]:
        """Why it is not flat."""
        return [
            *(f"{each.what} of {each.of} rises" for each in self.series if each.values and not each.is_flat),
            *(f"no {each.what} of {each.of}" for each in self.series if not each.values),
            *(f"{count:,} times: {what}" for what, count in sorted(self.failed.items())),
            *(
                f"{what} fell behind: {done:,} in {due:,} turns"
                for what, (done, due) in self.paced.items()
                if done < KEPT_PACE * due
            ),
        ]

    def __str__(self) -> str:
        """A table, and a verdict in the last line."""
        faults = self.faults
        return "\n".join(
            [
                f"{'what':<9} {'of':<12} {'first':>8} {'last':>8} {'mean':>8} {'rise':>8} {'allowed':>8}",
                *map(str, self.series),
                *self._counts(),
                f"not flat: {'; '.join(faults)}" if faults else "flat: nothing rises, and nothing failed",
            ]
        )

    def _counts(self) -> Iterator[str]:
        memory = {each.of: each for each in self.series if each.what == "memory"}
        for each in self.answered:
            if not each.values:
                continue
            counted = each.values[-1] - each.settled[1][0]
            per = f": {memory[each.of].rise / counted * 1024:.2f} KiB of memory a request" if counted else ""
            yield f"{each.of} answered {each.values[-1]:,.0f} requests, {counted:,.0f} of them after the warm-up{per}"
        yield from (f"{what}: {done:,} in {due:,} turns" for what, (done, due) in self.paced.items())
        yield f"{self.busy:.2f} cores were busy, with others' work too"

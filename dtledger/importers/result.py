"""What an import gives back: the readings, and an account of every row that did not become one."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..readings import REPEAT_OTHER_VALUE, Reading


class UnreadableError(ValueError):
    """A row cannot be read. Its text is the reason, and never quotes the row."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that could not be read: the line on which it begins (the first is 1), and why. No cell is quoted. Of a
    recording that has no lines, it is the number of the sample."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Gap:
    """At least one reading is missing between those at `start` and `end` (unix seconds)."""

    start: float
    end: float

    @property
    def minutes(self) -> float:
        return (self.end - self.start) / 60


@dataclass(frozen=True, slots=True)
class Import:
    """The readings of one file, and what happened to every other row.

    Each row of the file is exactly one of: a reading, a repeat (same time, value and unit as another row), a
    problem, or a row of a kind that is not imported; `others` names those kinds and counts their rows.
    `interval` is the usual number of seconds between readings, or None where there is no usual one; a gap is
    longer than one and a half of them. `notes` are sentences on how the file as a whole was understood. `row_word` is
    what a row is called: a line, or a sample.
    """

    source_format: str
    category: str
    readings: tuple[Reading, ...] = field(repr=False)
    problems: tuple[Problem, ...] = ()
    repeats: int = 0
    others: tuple[tuple[str, int], ...] = ()
    interval: float | None = None
    gaps: tuple[Gap, ...] = ()
    lines: int = 0
    notes: tuple[str, ...] = ()
    row_word: str = "line"

    @property
    def rows(self) -> int:
        """How many rows the file has, headings apart."""
        return len(self.readings) + self.repeats + len(self.problems) + sum(count for _, count in self.others)

    @property
    def conflicts(self) -> int:
        """How many readings share their second with another value; they are marked."""
        return sum(REPEAT_OTHER_VALUE in reading.quality.split() for reading in self.readings)

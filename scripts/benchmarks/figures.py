"""A row: one figure, the goals that it must reach, and its rivals.

>>> row = Row("a grant", 51_668, "gas", goals=(at_most(55_000, "gas"),), rivals=(Rival("EAS", 272_119),))
>>> [(goal.text, goal.reached_by(row)) for goal in row.goals]
[('≤ 55,000 gas', True)]
>>> round(row.ratio(row.rivals[0]), 2)
0.19
"""

from __future__ import annotations

from dataclasses import dataclass


class NotMeasuredError(Exception):
    """A row cannot be measured here; the text says what it lacks."""


@dataclass(frozen=True, slots=True)
class Rival:
    """Somebody else's figure in the row's unit. `source` is empty if it was measured in the same run."""

    name: str
    figure: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure must reach: at most `limit`, or at least, of itself or of its ratio to the rival `of`."""

    text: str
    limit: float
    at_least: bool = False
    of: str = ""

    def reached_by(self, row: Row) -> bool:
        value = row.ratio(next(each for each in row.rivals if each.name == self.of)) if self.of else row.figure
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Row:
    """`what` was measured, with its sizes; `beside` has further figures of the same run in words."""

    what: str
    figure: float
    unit: str
    goals: tuple[Goal, ...] = ()
    rivals: tuple[Rival, ...] = ()
    beside: str = ""

    def ratio(self, rival: Rival) -> float:
        """How many times the rival's figure this one is."""
        return self.figure / rival.figure


def at_most(limit: float, unit: str) -> Goal:
    return Goal(f"≤ {quantity(limit, unit)}", limit)


def at_least(limit: float, unit: str) -> Goal:
    return Goal(f"≥ {quantity(limit, unit)}", limit, at_least=True)


def at_most_times(limit: float, rival: str) -> Goal:
    return Goal(f"≤ {limit:g} × {rival}", limit, of=rival)


def at_least_times(limit: float, rival: str) -> Goal:
    return Goal(f"≥ {limit:g} × {rival}", limit, at_least=True, of=rival)


def quantity(figure: float, unit: str) -> str:
    """A figure as it is read: about three digits, or all of a large one."""
    size = abs(figure)
    digits = 0 if figure == int(figure) or size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3
    return f"{figure:,.{digits}f} {unit}"


def times(ratio: float) -> str:
    """A ratio as it is read.

    >>> times(0.664), times(12.3), times(1 / 3600), times(0)
    ('0.66 ×', '12 ×', '1/3,600 ×', '0.00 ×')
    """
    if 0 < ratio < 0.01:
        return f"1/{1 / ratio:,.0f} ×"
    return f"{ratio:.2f} ×" if ratio < 10 else f"{ratio:,.0f} ×"


@dataclass(frozen=True, slots=True)
class Missing:
    """A row that was not measured, and why: something is not on this machine or, if `failed`, went wrong."""

    reason: str
    failed: bool = False

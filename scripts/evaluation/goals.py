"""A figure beside what it must reach."""

from __future__ import annotations


class Goals:
    """Collects figures; `lines` show them, `rows` hold them."""

    def __init__(self) -> None:
        self.rows: list[dict[str, str | float | bool]] = []

    def at_most(self, name: str, figure: float, limit: float, aim: float | None = None) -> None:
        self._add(name, figure, f"≤ {limit:g}" + ("" if aim is None else f", aim {aim:g}"), figure <= limit)

    def at_least(self, name: str, figure: float, limit: float) -> None:
        self._add(name, figure, f"≥ {limit:g}", figure >= limit)

    def within(self, name: str, figure: float, low: float, high: float) -> None:
        self._add(name, figure, f"{low:g} to {high:g}", low <= figure <= high)

    def _add(self, name: str, figure: float, goal: str, met: bool) -> None:
        self.rows.append({"name": name, "figure": float(figure), "goal": goal, "met": bool(met)})

    @property
    def lines(self) -> list[str]:
        return [
            f"{'ok    ' if row['met'] else 'MISSED'}  {row['name']:<58} {row['figure']:>10.4g}   ({row['goal']})"
            for row in self.rows
        ]

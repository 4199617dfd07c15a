"""A clock that moves when it is told to.

>>> clock = Clock(1_767_268_800)
>>> clock.advance(60)
1767268860
>>> clock()
1767268860
"""

from __future__ import annotations

NOON = 1_767_268_800
"""2026-01-01T12:00:00Z, in unix seconds: when every world begins."""


class Clock:
    """Called, it gives unix seconds."""

    def __init__(self, at: int = NOON) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at

    def __repr__(self) -> str:
        return f"Clock({self.at})"

    def advance(self, seconds: int) -> int:
        """Let time pass; returns the time that it is then."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self.at += seconds
        return self.at

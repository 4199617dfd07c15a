"""The clock of a chain whose time nobody moves."""

from __future__ import annotations

import time

from dtledger.testing import Clock

MOMENT = 60
"""Seconds that tests let pass so that a block is later than another. Here each is, by itself."""


class Present(Clock):
    """This machine's time."""

    def __init__(self) -> None:
        pass

    def __call__(self) -> int:
        return int(time.time())

    @property
    def at(self) -> int:  # type: ignore[override]
        return self()

    def advance(self, seconds: int) -> int:
        """Nothing, for a moment.

        Raises:
            ValueError: it is longer.
        """
        if seconds > MOMENT:
            raise ValueError("nobody moves the validators' time: leave this test out by name")
        return self()

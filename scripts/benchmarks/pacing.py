"""Work at a steady pace: a rate that does not follow the speed of the answers, as people's does not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from math import ceil
from time import monotonic


def turns(over: threading.Event, seconds: float, phase: float = 0.0) -> Iterator[None]:
    """A turn every so many seconds until it is over, `phase` after a multiple of them: processes of one machine with
    other phases take other turns. Those that passed during one are left out: nothing is caught up with."""
    due = ceil((monotonic() - phase) / seconds) * seconds + phase
    while not over.wait(max(0.0, due - monotonic())):
        yield
        due += seconds * max(1, ceil((monotonic() - due) / seconds))

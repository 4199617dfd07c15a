"""A gateway's queue by itself: posts that are sealed and synced, in a file and in PostgreSQL."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

from dtledger._backend.postgresql import Server
from dtledger.gateway.queue import Limits, Measured, ReadingQueue
from dtledger.readings import Reading
from dtledger.testing.memory_key import MemoryKey

from .bench import Bench
from .figures import Rival, Row
from .timing import rate

NOW = 1_800_000_000
ROOM = Limits(2**34, 0)
HOUR = 12
"""Readings of an hour, in one post."""


def queue(bench: Bench) -> Row:
    from tests import postgres

    with tempfile.TemporaryDirectory(prefix="dtledger-bench-") as name, ExitStack() as stack:
        one, many = _rates(bench, Path(name) / "file" / "queue.db", None)
        rivals: tuple[Rival, ...] = ()
        beside = f"posts of {HOUR} readings: {many:,.0f} readings/s"
        if lack := postgres.missing():
            beside += f"; PostgreSQL was not measured: {lack}"
        else:
            server = Server(stack.enter_context(postgres.cluster()).url, "dtledger_queue")
            theirs, their_many = _rates(bench, Path(name) / "server" / "queue.db", server)
            rivals = (Rival("the same in PostgreSQL", theirs),)
            beside += f", in PostgreSQL {their_many:,.0f}, over a Unix socket on the same disk"
    return Row("posts of one reading into a gateway's queue, each sealed and synced", one, "/s", (), rivals, beside)


def _rates(bench: Bench, path: Path, server: Server | None) -> tuple[float, float]:
    """Posts of one reading a second; and readings in posts of an hour."""
    with closing(ReadingQueue(path, MemoryKey("gateway"), lambda: NOW, ROOM, server=server)) as kept:
        twins = itertools.count()

        def put(count: int) -> int:
            twin = next(twins)
            readings = (Reading(NOW - 60 * each, 5.5, "mmol/L", 60) for each in range(count))
            return kept.put([Measured(twin, "glucose", each) for each in readings])

        return rate(lambda: put(1), bench.sizes.lasting), rate(lambda: put(HOUR), bench.sizes.lasting)


ROWS: Mapping[str, Callable[[Bench], Row]] = {"queue": queue}

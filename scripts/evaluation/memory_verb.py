"""`scripts/evaluate memory`: what a gateway with its twins holds, day by day, while its own clock runs through a month.

Queue, filter, gate, states, corrections and pump are the gateway's own; what is anchored goes nowhere, so that ledger
and store, which grow by what is written to them, do not count.
"""

from __future__ import annotations

import argparse
import gc
import math
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from dtledger.client import Context, Writer
from dtledger.encoding import CID, block_cid, encode
from dtledger.errors import DtledgerError
from dtledger.gateway.ingest import Several
from dtledger.gateway.pump import Pace, Pump
from dtledger.gateway.queue import Limits, Measured, ReadingQueue
from dtledger.gateway.twins import Twins, shipped
from dtledger.gateway.vital_signs import VitalSigns
from dtledger.ledger import Deployment
from dtledger.readings import PULSE, Reading
from dtledger.store import BlockMissingError, BlockStore
from dtledger.testing.clock import Clock
from dtledger.testing.memory_key import MemoryKey

from .asked import positive
from .goals import Goals

TEXT = "bytes that a gateway with its twins holds, over so many of its days"
HOUR = 3600
SETTLED = 3
"""Days after which a gateway has seen all that a day brings: what is lent for a day was given back."""
MOST = 1.05
"""What the last day may hold of what the day after SETTLED held."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--twins", type=positive, default=10, metavar="N")
    parser.add_argument("--days", type=positive, default=30, metavar="N")
    parser.add_argument("--every", type=positive, default=300, metavar="N", help="seconds from reading to reading")


def run(options: argparse.Namespace) -> dict[str, Any]:
    goals, clock, rows = Goals(), Clock(), []
    with tempfile.TemporaryDirectory(prefix="dtledger-memory-") as folder:
        queue = ReadingQueue(Path(folder) / "queue.db", MemoryKey("gateway"), clock, Limits(2**34, 0))
        try:
            pump = made(queue, clock)
            for day in range(1, options.days + 1):
                for _ in range(24):
                    hour(queue, pump, clock, options.twins, options.every)
                rows.append({"day": day, **held(Path(folder))})
                print(f"day {day:>3}: " + ", ".join(f"{rows[-1][name]:,} {name}" for name in UNITS))
        finally:
            queue.close()
    if options.days > SETTLED:
        for name in UNITS:
            goals.at_most(f"{name}, of those of day {SETTLED + 1}", rows[-1][name] / rows[SETTLED][name], MOST)
        print("\n".join(goals.lines))
    return {"verb": "memory", "twins": options.twins, "days": rows, "goals": goals.rows}


UNITS = ("KiB resident", "blocks of Python's", "KiB on the disk")


def held(folder: Path) -> dict[str, int]:
    """What the process holds, and the queue's file."""
    gc.collect()
    size = sum(each.stat().st_size for each in folder.iterdir())
    return dict(zip(UNITS, (resident(), sys.getallocatedblocks(), size // 1024), strict=True))


def resident() -> int:
    """KiB of this process in memory, as Linux says it."""
    line = next(each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmRSS:"))
    return int(line.split()[1])


def hour(queue: ReadingQueue, pump: Pump, clock: Clock, twins: int, every: int) -> None:
    """What sensors and monitors say in an hour, which passes and is anchored."""
    begun, times = clock.at, range(clock.at, clock.at + HOUR, every)
    clock.advance(HOUR)
    for twin in range(twins):
        glucose = [Reading(at, round(130 + 50 * math.sin(at / 4000 + twin) + at % 7, 1), "mg/dL", 60) for at in times]
        rate = [Reading(at, 70.0 + round(9 * math.sin(at / 900 + twin)) + at // every % 3, "/min", 60) for at in times]
        pulse = [Reading(each.seconds, each.value + 1, "/min", 60, PULSE) for each in rate]
        measured = [Measured(twin, "glucose", each) for each in glucose]
        if begun % (6 * HOUR) == 0:
            measured.append(Measured(twin, "meals", Reading(begun, 40.0, "g", 60)))
        queue.put([*measured, *(Measured(twin, "heart-rate", each) for each in (*rate, *pulse))])
        pump._twins.hear(measured)
    while pump.step():
        pass


def made(queue: ReadingQueue, clock: Clock) -> Pump:
    """A pump whose batches go nowhere."""
    store = cast(BlockStore, Nowhere())
    twins = Twins(queue, shipped(), cast(Deployment, None), store, clock)
    context = cast(Context, SimpleNamespace(clock=clock, store=store))
    return Pump(context, cast(Writer, Nowhere()), queue, Pace(), Several(twins, VitalSigns(queue)))


class Nowhere:
    """A store that holds nothing, and a writer for which all is anchored."""

    def __init__(self) -> None:
        self._batches = 0

    def export(self, cids: Iterable[CID]) -> Iterable[bytes]:
        return ()

    def get(self, cid: CID) -> bytes:
        raise BlockMissingError(cid, "nowhere")

    def put_batch(self, parts: Sequence[Any], stored: Callable[[Sequence[Any]], None]) -> list[DtledgerError | None]:
        self._batches += 1
        written = []
        for place, part in enumerate(parts):
            readings = getattr(part, "readings", ())
            cid = block_cid(encode([self._batches, place]), "dag-cbor")
            marks = tuple(bytes(16) for _ in readings)
            snapshot = SimpleNamespace(manifest=cid, custody=cid)
            written.append(SimpleNamespace(place=place, readings=readings, marks=marks, snapshot=snapshot))
        stored(written)
        return [None] * len(parts)

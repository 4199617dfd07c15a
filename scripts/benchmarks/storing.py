"""Putting readings into a store: hour by hour as encrypted snapshots, anchored in batches; once for all rows of a
store, since what was put is then read."""

from __future__ import annotations

from dataclasses import dataclass

from dtledger.encoding import CID
from dtledger.ledger import Slot
from dtledger.readings import Reading, encode_readings, hourly

from .bench import Bench
from .figures import Rival, Row, at_least
from .timing import timed
from .unprotected import Unprotected
from .world import World

RIVAL = "unprotected"
HOUR = 3600
_STEP = 300


@dataclass(frozen=True, slots=True)
class Filled:
    """Readings of one category on a twin of their own, and the same under one key; both have been put."""

    world: World
    consent: Slot
    category: str
    readings: int
    snapshots: int
    put_seconds: float
    gas: int
    rival: Unprotected
    root: CID
    rival_seconds: float


def glucose(world: World, hours: int) -> list[Reading]:
    """One reading every five minutes, the last of them just before the hour began in which the world did."""
    end = world.now // HOUR * HOUR
    return [
        Reading(at, 4.0 + place % 97 / 10, "mmol/L", 60)
        for place, at in enumerate(range(end - hours * HOUR, end, _STEP))
    ]


def wave(world: World, readings: int) -> list[Reading]:
    """A pulse wave of one hour: one snapshot, nine bytes a reading."""
    start = world.now // HOUR * HOUR - HOUR
    return [Reading(start + place * HOUR // readings, place % 4096 / 4096, "1", 60) for place in range(readings)]


def fill(world: World, category: str, readings: list[Reading]) -> Filled:
    """Put the readings into a new twin, and their plaintexts into the same store under one key."""
    consent, hours, rival = world.twin(), hourly(readings), Unprotected(world.open_store())
    result, put_seconds = timed(lambda: world.gateway.writer.put(consent.twin, category, readings))
    root, rival_seconds = timed(lambda: rival.put([encode_readings(category, hour.readings) for hour in hours]))
    gas = sum(each.gas for each in result.anchors)
    return Filled(world, consent, category, len(readings), len(hours), put_seconds, gas, rival, root, rival_seconds)


def fortnight(bench: Bench, store: str) -> Filled:
    return bench.once(f"fortnight-{store}", lambda: _glucose(bench.world(store), bench.sizes.fortnight))


def year(bench: Bench, store: str) -> Filled:
    return bench.once(f"year-{store}", lambda: _glucose(bench.world(store), bench.sizes.year))


def one_mib(bench: Bench, store: str) -> Filled:
    world = bench.world(store)
    return bench.once(f"wave-{store}", lambda: fill(world, "ppg", wave(world, bench.sizes.wave)))


def _glucose(world: World, hours: int) -> Filled:
    return fill(world, "glucose", glucose(world, hours))


def put(bench: Bench, store: str) -> Row:
    """A fortnight of readings from memory to anchored."""
    filled = fortnight(bench, store)
    return Row(
        f"put of {filled.readings:,} five-minute readings, {filled.snapshots} snapshots: seal, store, anchor",
        filled.readings / filled.put_seconds,
        "readings/s",
        (at_least(1_000, "readings/s"),),
        (Rival(RIVAL, filled.readings / filled.rival_seconds),),
        f"{filled.gas / filled.snapshots:,.0f} gas a snapshot; without filter and gate: those are in `ingest`",
    )

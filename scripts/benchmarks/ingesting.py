"""A gateway at work: signed batches of very many twins, filtered, judged, encrypted, stored and anchored, hour after
hour; and how old readings are when they can be read. Beside it the filter alone, and filterpy's."""

from __future__ import annotations

import math
import secrets
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time

import numpy as np

from dtledger._backend.refusal_file import RefusalFile
from dtledger.client import Client, writing_terms
from dtledger.device.batch import Code
from dtledger.device.enrolment import Channel
from dtledger.device.sender import Device
from dtledger.gateway.batches import Batches
from dtledger.gateway.devices import Devices
from dtledger.gateway.pump import Pace, Pump
from dtledger.gateway.queue import Limits, ReadingQueue
from dtledger.gateway.rights import Rights
from dtledger.gateway.twins import Twins, shipped
from dtledger.readings import Reading, encode_readings

from ..evaluation.bench_verb import best, filterpy_walker, made_up, walker
from .bench import DIRECTORY, Bench
from .figures import Rival, Row, at_least, at_least_times, at_most
from .storing import HOUR, RIVAL
from .timing import timed
from .unprotected import Unprotected
from .world import DAY, HISTORY, THRESHOLD, World

STEP = 300
"""Seconds between a sensor's readings."""
BLOCK = 2
"""Seconds from one block to the next on a real network (docs/bench.md)."""
ONES_TWINS = 25
"""Twins of one patient: each new one seals the secrets of all the key's twins again."""


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of everybody's readings: seconds that it took, of them the processor's in this process, and of each
    reading how old it was when its snapshot was anchored and read back."""

    readings: int
    seconds: float
    cpu: float
    ages: Sequence[float]


@dataclass(frozen=True, slots=True)
class Ingested:
    twins: int
    hours: Sequence[Hour]
    rival: float
    """Readings a second."""
    stored: float
    rival_stored: float
    """Bytes in the block store for a twin's hour."""


def ingested(bench: Bench) -> Ingested:
    """The run that both rows are of."""
    return bench.once("ingested", lambda: _run(bench.world(DIRECTORY), bench.sizes.twins, bench.sizes.ingested))


def ingest(bench: Bench) -> Row:
    found = ingested(bench)
    by_cpu = median(each.readings / each.cpu for each in found.hours)
    by_wall = median(each.readings / each.seconds for each in found.hours)
    return Row(
        f"readings of {found.twins:,} twins through a gateway, in hourly snapshots: taken in, filtered, judged, "
        "encrypted, stored, anchored and read back; a second of one core",
        by_cpu,
        "readings/s",
        (at_least(1_000, "readings/s"),),
        (Rival(RIVAL, found.rival),),
        f"by the clock {by_wall:,.0f}; each twin's state is a snapshot too; batches of 12, each signed by a device; "
        f"the slowest hour {max(each.seconds for each in found.hours):.1f} s",
    )


def age(bench: Bench) -> Row:
    found = ingested(bench)
    ages = [each for hour in found.hours for each in hour.ages]
    p99 = quantiles(ages, n=100)[98] if len(ages) > 1 else ages[0]
    return Row(
        f"from a reading's measurement until it can be read, {found.twins:,} twins, hourly batches, p99",
        p99,
        "s",
        (at_most(HOUR + BLOCK, "s"),),
        (Rival("the batch period alone", HOUR),),
        f"at most {max(ages):,.0f} s; a twin's age is up to its sensor's {STEP} s more; Anvil makes its block at once",
    )


def filter_(bench: Bench) -> Row:
    draw, steps = np.random.default_rng(1), max(1, bench.sizes.twins // 25)
    twins, sugar = bench.sizes.twins, made_up(draw)
    one = 1000 * best(walker(1, draw, sugar), 10 * steps)
    return Row(
        f"steps of a glucose twin on one core, {twins:,} twins side by side: filter, learning, three forecasts",
        twins / best(walker(twins, draw, sugar), steps),
        "/s",
        (at_least(80_000, "/s"), at_least_times(10, "filterpy")),
        (Rival("filterpy", 1 / best(filterpy_walker(draw), steps)),),
        f"one reading of one twin {one:.2f} ms; filterpy does the filter alone",
    )


def _run(world: World, count: int, hours: int) -> Ingested:
    context, end = world.gateway.context, world.now // HOUR * HOUR
    with tempfile.TemporaryDirectory(prefix="dtledger-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        queue = ReadingQueue(folder / "queue.db", context.key, context.clock, Limits(2**34, 0))
        refusals = RefusalFile(folder / "refusals.db")
        stack.callback(queue.close)
        stack.callback(refusals.close)
        rights = Rights(context)
        devices = Devices(context, queue, rights, refusals)
        batches = Batches(context, queue, devices, rights, refusals)
        keeper = Twins(queue, shipped(), context.deployment, context.store, context.clock)
        pump = Pump(context, world.gateway.writer, queue, Pace(snapshots=count), keeper)
        patients = [world.newcomer(f"patient-{each}") for each in range(-(-count // ONES_TWINS))]
        senders = [
            _sender(world, patients[each // ONES_TWINS], devices, batches, folder / f"{each}.state", end - DAY)
            for each in range(count)
        ]
        for _, device in senders:
            stack.callback(device.close)
        empty = _size(world.devnet.blocks)
        found = [_hour(batches, pump, senders, start) for start in range(end - hours * HOUR, end, HOUR)]
    full = _size(world.devnet.blocks)
    texts = [encode_readings("glucose", _readings(twin, end - HOUR)) for twin, _ in senders]
    _, seconds = timed(lambda: Unprotected(world.open_store()).put(texts))
    stored, rival = (full - empty) / (count * hours), (_size(world.devnet.blocks) - full) / count
    return Ingested(count, found, found[0].readings / seconds, stored, rival)


def _size(folder: Path) -> int:
    """Bytes of all files in it."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


def _hour(batches: Batches, pump: Pump, senders: Sequence[tuple[int, Device]], start: int) -> Hour:
    """An hour's readings, signed before and taken, written and anchored within what is measured."""
    hour = [_readings(twin, start) for twin, _ in senders]
    for (_, device), readings in zip(senders, hour, strict=True):
        device.sign([(0, each.seconds, round(10 * each.value)) for each in readings], start + HOUR)
    count = sum(map(len, hour))
    began, cpu = perf_counter(), process_time()
    answers = [batches.take(device.pending) for _, device in senders]
    moved = 0
    while moved < count:
        step = pump.step()
        assert step, "the gateway stands still"
        moved += step
    seconds, spent = perf_counter() - began, process_time() - cpu
    for (_, device), (code, answer, _) in zip(senders, answers, strict=True):
        assert code is Code.TAKEN
        device.hear(answer)
    return Hour(count, seconds, spent, [start + HOUR - each.seconds + seconds for some in hour for each in some])


def _sender(
    world: World, patient: Client, devices: Devices, batches: Batches, path: Path, since: int
) -> tuple[int, Device]:
    """A new twin of the patient's, and its sensor, which signs."""
    twin, seed = _twin(world, patient), secrets.token_bytes(32)
    gateway, channels = world.gateway.address, [Channel("glucose", "mmol/L", 1)]
    said, block = patient.devices.enrol(twin, gateway, Device.public_of(seed), channels, since)
    devices.enrol(block)
    fields = [[each.category, each.unit, each.decimals, each.quality] for each in channels]
    Device.make(path, seed, batches.public, said.digest, twin, since, fields)
    return twin, Device(path)


def _twin(world: World, patient: Client) -> int:
    """A new twin of the patient's that the gateway may write glucose and forecasts to."""
    twin, _ = world.operator.twins.mint(patient.twins.request_mint())
    patient.twins.set_up(twin, list(patient.context.custodians), THRESHOLD)
    terms = writing_terms(("glucose", "forecast"), world.now - DAY, 2 * DAY, back_to=(world.now - HISTORY) // 60)
    patient.consents.grant(twin, world.gateway.address, terms)
    return twin


def _readings(twin: int, start: int) -> list[Reading]:
    """Twelve of an hour, each twin's at a phase of its own."""
    times = range(start + twin * 37 % STEP, start + HOUR, STEP)
    return [Reading(at, round(7 + 2 * math.sin(at / 4000 + twin), 1), "mmol/L", 60) for at in times]


ROWS: Mapping[str, Callable[[Bench], Row]] = {"ingest": ingest, "age": age, "filter": filter_}

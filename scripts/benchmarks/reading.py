"""Authorised reads beside the same bytes under one key: find, ask two of three custodians and more, check, decrypt.

Both sides keep a client open, as an app does, and no block: each read fetches all it needs from the store. The reader
asks Anvil for the head, takes the newest index that the gateway anchored and sends one signed request to each of three
custodians over HTTP; its rival has the address of a root and the key.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dtledger.client import Readings

from .asking import Asker
from .bench import DIRECTORY, KUBO, Bench
from .figures import Rival, Row, at_most, at_most_times, quantity
from .storing import RIVAL, Filled, fortnight, one_mib, put, year
from .timing import Times, in_turns

OVER_HTTP = "custodians over HTTP, each a process"
HALF = "half a year"
MIB = 2**20


def read(filled: Filled, progress: Callable[[int, int], None] | None = None, since: int | None = None) -> Readings:
    """All readings of the twin, by the SDK's one door."""
    twin, clinician = filled.consent.twin, filled.world.clinician
    return clinician.read(twin, filled.category, "TREAT", since=since, progress=progress)


@dataclass(frozen=True, slots=True)
class Compared:
    """The times of a read and of its rival, and what the read needed: custodians asked, their receipts."""

    ours: Times
    rival: Times
    custodians: int
    receipts: int

    def beside(self) -> str:
        requests = self.receipts // self.custodians
        asked = "one request" if requests == 1 else f"{requests} requests"
        return f"{busy(self.ours)}; {asked} to each of {self.custodians} {OVER_HTTP}"


def busy(times: Times) -> str:
    """What tells a slow machine from a slow program."""
    return f"fastest {quantity(times.best, 's')}, this process's CPU {quantity(times.cpu, 's')}"


def compare(filled: Filled, runs: int) -> Compared:
    """Both sides must give the same values."""
    result = read(filled)
    ours = [(each.at, each.value) for each in result]
    rival = [(each.at, each.value) for each in filled.rival.readings(filled.root)]
    assert ours == rival, "the two sides read different values"
    times = in_turns(lambda: read(filled), lambda: filled.rival.readings(filled.root), runs)
    return Compared(*times, len({each.custodian for each in result.receipts}), len(result.receipts))


def read_content(bench: Bench, store: str) -> Row:
    """One snapshot of 1 MiB down to its bytes: opening the package, finding, asking, checking, decrypting."""
    filled = one_mib(bench, store)

    def ours() -> list[bytes]:
        return Asker.of(filled.world.clinician, filled.consent).contents(filled.category)

    def rival() -> list[bytes]:
        return list(filled.rival.contents(filled.root))

    assert ours() == rival(), "the two sides read different bytes"
    took, rival_took = in_turns(ours, rival, bench.sizes.runs)
    read_too = compare(filled, 1)
    return Row(
        f"authorised read of one snapshot of {sum(map(len, ours())) / MIB:.2f} MiB, as bytes, p50",
        took.p50 * 1000,
        "ms",
        (at_most(100, "ms"), at_most_times(2, RIVAL)),
        (Rival(RIVAL, rival_took.p50 * 1000),),
        f"{busy(took)}; as {filled.readings:,} readings {quantity(read_too.ours.p50, 's')}, "
        f"{RIVAL} {quantity(read_too.rival.p50, 's')}; {read_too.custodians} {OVER_HTTP}",
    )


def read_fortnight(bench: Bench, store: str) -> Row:
    filled = fortnight(bench, store)
    compared = compare(filled, bench.sizes.runs)
    return Row(
        f"authorised read of {filled.snapshots} hourly snapshots, {filled.readings:,} readings, p50",
        compared.ours.p50,
        "s",
        (at_most(1, "s"),),
        (Rival(RIVAL, compared.rival.p50),),
        compared.beside(),
    )


def read_year(bench: Bench, store: str) -> Row:
    filled = year(bench, store)
    compared = compare(filled, bench.sizes.year_runs)
    told: list[tuple[int, int]] = []
    read(filled, lambda done, total: told.append((done, total)))
    return Row(
        f"authorised read of {filled.snapshots:,} hourly snapshots, {filled.readings:,} readings, p50",
        compared.ours.p50,
        "s",
        (at_most(15, "s"),),
        (Rival(RIVAL, compared.rival.p50),),
        f"{compared.beside()}; progress told {len(told)} times",
    )


def memory_of_year(bench: Bench, store: str) -> Row:
    """What a read needs besides the readings that it returns, at its peak, for a year and for half of it."""
    filled = year(bench, store)
    world = filled.world
    whole, kept = _peak(lambda: read(filled))
    half, _ = _peak(lambda: read(filled, since=world.now // 3600 * 3600 - filled.snapshots // 2 * 3600))
    return Row(
        f"memory of reading {filled.snapshots:,} snapshots, at its peak, without the readings returned",
        whole,
        "MiB",
        (at_most_times(1.25, HALF),),
        (Rival(HALF, half),),
        f"the readings themselves {kept:,.0f} MiB; Python's allocations, by tracemalloc",
    )


def _peak(work: Callable[[], object]) -> tuple[float, float]:
    """MiB allocated at the peak of `work` beyond what stays as its result, and that result's size."""
    tracemalloc.start()
    try:
        result = work()
        kept, peak = tracemalloc.get_traced_memory()
        del result
        return (peak - kept) / MIB, kept / MIB
    finally:
        tracemalloc.stop()


def _rows(store: str) -> dict[str, Callable[[Bench], Row]]:
    return {
        f"put-{store}": partial(put, store=store),
        f"read-1mib-{store}": partial(read_content, store=store),
        f"read-fortnight-{store}": partial(read_fortnight, store=store),
    }


ROWS = {**_rows(DIRECTORY), **_rows(KUBO)}
YEAR_ROWS = {
    f"year-{DIRECTORY}": partial(read_year, store=DIRECTORY),
    f"year-{KUBO}": partial(read_year, store=KUBO),
    "year-memory": partial(memory_of_year, store=DIRECTORY),
}

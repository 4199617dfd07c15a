"""Load: many readers at once for a while. No error, no lost receipt, no custodian that grows with what it answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from time import perf_counter

from dtledger.errors import DtledgerError
from dtledger.types import Address

from .asking import Asker
from .bench import Bench
from .figures import Row
from .hammering import Hammer, Shot
from .storing import glucose
from .world import World

_PAGE = 4096
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it. `receipts` counts each custodian's of the twin; `memory` has each one's resident bytes after the
    first half and at the end, where the system tells."""

    seconds: float
    shots: Sequence[Shot]
    errors: Sequence[DtledgerError]
    receipts: Mapping[Address, int]
    memory: Sequence[tuple[int, int]]

    @property
    def lost(self) -> int:
        """Answers that have no receipt."""
        answered = Counter(each.custodian for each in self.shots)
        return sum(max(0, count - self.receipts.get(custodian, 0)) for custodian, count in answered.items())


def load(world: World, readers: int, seconds: float) -> Load:
    """So many readers for so many seconds on one snapshot."""
    consent = world.twin()
    world.gateway.writer.put(consent.twin, "glucose", glucose(world, 1))
    asker = Asker.of(world.clinician, consent)
    halfway: list[int] = []
    began = perf_counter()

    def over(shots: Sequence[Shot]) -> bool:
        passed = shots[-1].answered - began
        if passed >= seconds / 2 and not halfway:
            halfway.extend(_resident(world))
        return passed >= seconds

    hammer = Hammer(asker, asker.find("glucose")[:1], readers, over)
    hammer.start()
    shots = hammer.end()
    took = perf_counter() - began
    lists = world.patient.twins.who_looked(consent.twin).require_whole().lists
    receipts = {custodian: len(each) for custodian, each in lists.items()}
    return Load(took, shots, hammer.errors, receipts, list(zip(halfway, _resident(world), strict=False)))


def _resident(world: World) -> list[int]:
    """Resident bytes of each custodian, from Linux's /proc; nothing elsewhere."""
    found = []
    for each in world.custodians:
        statm = Path(f"/proc/{each.pid}/statm")
        if statm.exists():
            found.append(int(statm.read_text().split()[1]) * _PAGE)
    return found


def _row(bench: Bench, readers: int, seconds: float) -> Row:
    ran = load(bench.world(), readers, seconds)
    took = quantiles([(each.answered - each.sent) * 1000 for each in ran.shots], n=100)
    grown = max((end - half for half, end in ran.memory), default=0)
    kinds = Counter(f"{type(each).__name__}: {each.message}" for each in ran.errors)
    errors = f"{len(ran.errors)} errors" + (f" ({kinds.most_common(1)[0][0]})" if kinds else "")
    return Row(
        f"answers of three custodians over HTTP to {readers} readers at once, for {seconds:g} s",
        len(ran.shots) / ran.seconds,
        "/s",
        beside=f"{errors}, {ran.lost} of {len(ran.shots):,} answers without a receipt; an answer takes "
        f"p50 {took[49]:.0f} ms, p99 {took[98]:.0f} ms; in the second half a custodian grew by at most "
        f"{grown / _MIB:.1f} MiB",
    )


def short(bench: Bench) -> Row:
    return _row(bench, *bench.sizes.load)


def long(bench: Bench) -> Row:
    return _row(bench, *bench.sizes.long_load)


ROWS = {"load": short}
LONG_ROWS = {"load-long": long}

"""The race: readers ask every custodian over HTTP as fast as they can, without asking the rule first, while the patient
revokes. What began after the revocation's receipt must open nothing."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from statistics import quantiles
from time import perf_counter

from dtledger.crypto.seal import SealKey
from dtledger.custody import CustodianPort, SealedShare
from dtledger.errors import AccessDeniedError, DtledgerError
from dtledger.snapshots.finder import Found
from dtledger.types import Address

from .asking import Asker, shares
from .bench import Bench
from .figures import Row, at_most
from .storing import glucose
from .world import World

READERS = 6
WARM_UP = 60
"""Reads that are permitted before the patient revokes."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One request to one custodian: when it was sent and answered (seconds of `perf_counter`), and with what."""

    custodian: Address
    sent: float
    answered: float
    permitted: bool


@dataclass(frozen=True, slots=True)
class Race:
    """`revoked` is when the revocation's receipt came."""

    revoked: float
    shots: Sequence[Shot]

    @property
    def before(self) -> int:
        """Permits of requests that were sent before it."""
        return sum(each.permitted for each in self.shots if each.sent <= self.revoked)

    @property
    def after(self) -> list[Shot]:
        return [each for each in self.shots if each.sent > self.revoked]

    @property
    def permits_after(self) -> int:
        return sum(each.permitted for each in self.after)

    @property
    def first_refusals(self) -> dict[Address, float]:
        """Custodian → seconds from the receipt to its first refusal's answer; below zero if it refused before."""
        firsts: dict[Address, float] = {}
        for each in sorted(self.shots, key=lambda each: each.answered):
            if not each.permitted:
                firsts.setdefault(each.custodian, each.answered - self.revoked)
        return firsts


class _Racers:
    """Readers in threads, until so many requests were answered that were sent after `revoked` was set.

    Raises (by `shots`): the first error of a reader that is no refusal.
    """

    def __init__(self, asker: Asker, found: Sequence[Found], after: int) -> None:
        self._asker, self._found, self._after = asker, found, after
        self.revoked: float | None = None
        self.warm = threading.Event()
        self._shots: list[Shot] = []
        self._late = 0
        self._errors: list[Exception] = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(place,)) for place in range(READERS)]

    def start(self) -> None:
        for each in self._threads:
            each.start()

    def shots(self) -> list[Shot]:
        for each in self._threads:
            each.join()
        if self._errors:
            raise self._errors[0]
        return self._shots

    def _run(self, place: int) -> None:
        try:
            custodians = self._asker.client.context.custodians
            named = [each.custodian for each in self._found[0].custody.shares]
            ports = [(custodians[each], shares(self._found, at)) for at, each in enumerate(named)]
            one_use = SealKey.generate()
            turns = cycle(ports[place % len(ports) :] + ports[: place % len(ports)])
            while not self._over():
                self._shoot(*next(turns), one_use)
        except DtledgerError as error:
            self._errors.append(error)
        finally:
            self.warm.set()

    def _shoot(self, port: CustodianPort, sealed: list[SealedShare], one_use: SealKey) -> None:
        request = self._asker.request(self._found, one_use)
        sent = perf_counter()
        try:
            permitted = not port.open(request, sealed).refused
        except AccessDeniedError:
            permitted = False
        shot = Shot(port.address, sent, perf_counter(), permitted)
        with self._lock:
            self._shots.append(shot)
            self._late += self.revoked is not None and sent > self.revoked
            if len(self._shots) >= WARM_UP:
                self.warm.set()

    def _over(self) -> bool:
        return bool(self._errors) or self._late >= self._after


def race(world: World, after: int) -> Race:
    """One race, of `after` requests that are sent after the revocation."""
    consent = world.twin()
    world.gateway.writer.put(consent.twin, "glucose", glucose(world, 1))
    asker = Asker.of(world.clinician, consent)
    racers = _Racers(asker, asker.find("glucose")[:1], after)
    racers.start()
    racers.warm.wait()
    world.patient.consents.revoke(consent)
    racers.revoked = revoked = perf_counter()
    return Race(revoked, racers.shots())


def _row(bench: Bench, after: int) -> Row:
    ran = race(bench.world(), after)
    firsts = sorted(each * 1000 for each in ran.first_refusals.values())
    last = max(each.answered for each in ran.shots)
    rate = len(ran.after) / (last - ran.revoked)
    took = quantiles([(each.answered - each.sent) * 1000 for each in ran.shots], n=100)
    return Row(
        f"permits in {len(ran.after):,} racing requests that were sent after a revocation's receipt",
        ran.permits_after,
        "permits",
        (at_most(0, "permits"),),
        (),
        f"{READERS} readers ask three custodians over HTTP, {rate:.0f} requests/s; {ran.before:,} permitted before; "
        f"each custodian's first refusal came {', '.join(f'{each:.0f}' for each in firsts)} ms after the receipt; "
        f"an answer takes p50 {took[49]:.0f} ms, p99 {took[98]:.0f} ms",
    )


def short(bench: Bench) -> Row:
    return _row(bench, bench.sizes.race[0])


def long(bench: Bench) -> Row:
    return _row(bench, bench.sizes.race[1])


ROWS = {"race": short}
LONG_ROWS = {"race-long": long}

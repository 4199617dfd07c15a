"""The race: readers ask every custodian over HTTP as fast as they can, without asking the rule first, while the patient
revokes. What began after the revocation's receipt must open nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from statistics import quantiles
from time import perf_counter

from dtledger.types import Address

from .asking import Asker
from .bench import Bench
from .figures import Rival, Row, at_most
from .hammering import Hammer, Shot
from .storing import glucose
from .world import World

READERS = 6
WARM_UP = 60
"""Reads that are permitted before the patient revokes."""


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
            if not each.permitted and not each.unable:
                firsts.setdefault(each.custodian, each.answered - self.revoked)
        return firsts


def race(world: World, after: int, halfway: Callable[[], object] | None = None) -> Race:
    """One race, of `after` requests that are sent after the revocation. `halfway` is done when half of them are
    answered, and may leave custodians that cannot answer."""
    consent = world.twin()
    world.gateway.writer.put(consent.twin, "glucose", glucose(world, 1))
    asker = Asker.of(world.clinician, consent)
    warm, revoked, late = threading.Event(), [inf], [0]

    def over(shots: Sequence[Shot]) -> bool:
        if len(shots) >= WARM_UP:
            warm.set()
        is_late = shots[-1].sent > revoked[0]
        late[0] += is_late
        if halfway and is_late and late[0] == after // 2:
            halfway()
        return late[0] >= after

    hammer = Hammer(asker, asker.find("glucose")[:1], READERS, over, faulty=halfway is not None)
    hammer.start()
    while not warm.wait(1) and not hammer.errors:
        pass
    world.patient.consents.revoke(consent)
    revoked[0] = perf_counter()
    shots = hammer.end()
    if hammer.errors:
        raise hammer.errors[0]
    return Race(revoked[0], shots)


def row(ran: Race, more: str = "") -> Row:
    """What came of a race; `more` is what was done meanwhile."""
    firsts = sorted(each * 1000 for each in ran.first_refusals.values())
    last = max(each.answered for each in ran.shots)
    rate = len(ran.after) / (last - ran.revoked)
    unable = sum(each.unable for each in ran.after)
    took = quantiles([(each.answered - each.sent) * 1000 for each in ran.shots], n=100)
    return Row(
        f"permits in {len(ran.after):,} racing requests that were sent after a revocation's receipt{more}",
        ran.permits_after,
        "permits",
        (at_most(0, "permits"),),
        (Rival("an access token that nobody asks about, until it expires", len(ran.after), "RFC 6749, its example"),),
        f"{READERS} readers ask three custodians over HTTP, {rate:.0f} requests/s; {ran.before:,} permitted before; "
        f"{f'{unable:,} met a custodian that could not ask its node; ' if unable else ''}"
        f"each custodian's first refusal came {', '.join(f'{each:.0f}' for each in firsts)} ms after the receipt; "
        f"an answer takes p50 {took[49]:.0f} ms, p99 {took[98]:.0f} ms",
    )


def short(bench: Bench) -> Row:
    return row(race(bench.world(), bench.sizes.race[0]))


def long(bench: Bench) -> Row:
    return row(race(bench.world(), bench.sizes.race[1]))


ROWS = {"race": short}
LONG_ROWS = {"race-long": long}

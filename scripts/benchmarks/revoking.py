"""From a revocation to its first denial, while the grantee reads as fast as it can."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from threading import Event
from time import perf_counter

from dtledger.errors import DtledgerError
from dtledger.ledger import Slot

from .asking import Asker
from .bench import Bench
from .figures import Goal, Rival, Row, at_most
from .storing import glucose
from .world import World

TOKEN = Rival("an access token that nobody asks about, until it expires", 3_600_000, "RFC 6749, its example")
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One read: when it was asked and answered (seconds of `perf_counter`), and whether anything opened."""

    asked: float
    answered: float
    permitted: bool


@dataclass(frozen=True, slots=True)
class Round:
    """One revocation: when it was sent, when its receipt came, and what a racing reader was answered."""

    sent: float
    receipt: float
    answers: list[Answer]

    @property
    def denied(self) -> float:
        return next(each.answered for each in self.answers if not each.permitted)

    @property
    def permits_after(self) -> int:
        """Reads asked for after the receipt and still permitted."""
        return sum(each.permitted for each in self.answers if each.asked > self.receipt)


def revocation(bench: Bench) -> Row:
    """On Anvil."""
    return revoked(bench.world(), bench.sizes.rounds, at_most(100, "ms"), "Anvil makes its block at once")


def revoked(world: World, count: int, goal: Goal, chain: str) -> Row:
    """Each round: read without pause, revoke, grant again; the clock starts when `revoke` has its receipt. `chain` says
    when there is a block."""
    consent = world.twin()
    world.gateway.writer.put(consent.twin, "glucose", glucose(world, 1))
    rounds = [_round(world, consent) for _ in range(count)]
    delays = [max(0.0, each.denied - each.receipt) * 1000 for each in rounds]
    sending = [(each.denied - each.sent) * 1000 for each in rounds]
    reads = sum(len(each.answers) for each in rounds)
    permits = sum(each.permits_after for each in rounds)
    return Row(
        "from the receipt of a revocation to the first denied read, p50",
        median(delays),
        "ms",
        (goal,),
        (TOKEN,),
        f"at worst {max(delays):.0f} ms, from sending {median(sending):.0f} ms; {permits} of {reads} racing reads were "
        f"permitted though they began after the receipt; {chain}",
    )


def _round(world: World, consent: Slot) -> Round:
    asker, started, revoked = Asker.of(world.clinician, consent), Event(), Event()
    with ThreadPoolExecutor(1) as pool:
        racing = pool.submit(lambda: list(_race(asker, started, revoked)))
        try:
            started.wait(_PATIENCE)
            sent = perf_counter()
            world.patient.consents.revoke(consent)
            receipt = perf_counter()
        finally:
            revoked.set()
        answers = racing.result()
    world.patient.consents.grant(consent.twin, consent.grantee, world.terms(), consent.number)
    return Round(sent, receipt, answers)


def _race(asker: Asker, started: Event, revoked: Event) -> Iterator[Answer]:
    """Read one snapshot again and again, without asking the rule first, until denied after the revocation."""
    try:
        found = asker.find("glucose")
        deadline = perf_counter() + _PATIENCE
        while (asked := perf_counter()) < deadline:
            over = revoked.is_set()
            permitted = bool(asker.open(found, "glucose").plaintexts)
            yield Answer(asked, perf_counter(), permitted)
            started.set()
            if over and not permitted:
                return
        raise DtledgerError(f"A revoked grant was still permitted after {_PATIENCE:g} s.")
    finally:
        started.set()


ROWS = {"revocation": revocation}

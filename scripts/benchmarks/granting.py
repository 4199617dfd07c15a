"""How many consents a patient's own client gives one after another, and how long each takes until it is final."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median, quantiles

from dtledger.ledger import Sender, calls

from .bench import Bench
from .figures import Rival, Row
from .timing import rate, timed
from .world import World

BARE = "bare transactions, sent and awaited one after another"


def grants(bench: Bench) -> Row:
    """On Anvil, which makes a block for each transaction at once, and whose blocks are final at once."""
    return throughput(bench.world(), bench.sizes.lasting, "Anvil makes its block at once")


def throughput(world: World, lasting: float, chain: str) -> Row:
    """Through the SDK, into one slot: package sealed and stored, signed, sent, and the receipt of a final block."""
    patient, consent, terms = world.patient, world.twin(), world.terms()
    context = patient.context
    word = patient.consents.word(consent.twin, terms)
    package = patient.consents.package(consent, terms)
    submitted: list[float] = []

    def ours() -> int:
        patient.consents.grant(consent.twin, consent.grantee, terms, consent.number)
        return 1

    def submit() -> int:
        call = calls.grant(consent.twin, consent.grantee, consent.number, word, package)
        submitted.append(timed(lambda: context.send(call))[1] * 1000)
        return 1

    a_second, bare = rate(ours, lasting), rate(_transfer(world), lasting)
    rate(submit, lasting)
    p99 = quantiles(submitted, n=100)[98] if len(submitted) > 1 else submitted[0]
    return Row(
        "grants that one patient's client gives one after another, each awaited until it is final",
        a_second,
        "/s",
        rivals=(Rival(BARE, bare),),
        beside=f"from submission to final p50 {median(submitted):.1f} ms, p99 {p99:.1f} ms; {chain}",
    )


def _transfer(world: World) -> Callable[[], int]:
    """One transaction of nothing to oneself."""
    ledger, key = world.patient.context.ledger, world.patient.context.key
    sender: Sender = key

    def work() -> int:
        ledger.heartbeat(sender)
        return 1

    return work


ROWS = {"grants": grants}

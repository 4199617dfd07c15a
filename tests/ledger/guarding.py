"""Guardians for tests of ledgers: three people, two of whom act together, and the calls that carry what they sign."""

from __future__ import annotations

from collections.abc import Iterable

from dtledger.ledger import Call, guardian_calls
from dtledger.ledger import guardians as g
from dtledger.types import Digest
from tests.ledger.bench import DAY, Bench, digest, who

WARDS = ("clinician", "gateway", "hospital")
SALT, OTHER_SALT = digest("salt"), digest("another salt")
DELAY = 2 * DAY

CALLS = {
    "Freeze": guardian_calls.freeze,
    "Unfreeze": guardian_calls.unfreeze,
    "RescueTwin": guardian_calls.rescue_twin,
}


def guardians(salt: bytes = SALT, needed: int = 2) -> g.Guardians:
    return g.Guardians.of(needed, [who(name).address for name in WARDS], salt)


def signatures(text: Digest, signers: Iterable[str]) -> list[g.GuardianSignature]:
    """In the order in which the contract takes them."""
    keys = sorted((who(name) for name in signers), key=lambda key: int(key.address, 16))
    return [g.GuardianSignature(key.address, key.sign_digest(text)) for key in keys]


def carried(
    bench: Bench, kind: g.Counted, twin: int, counter: int, deadline: int, signers: Iterable[str], salt: bytes = SALT
) -> Call:
    text = g.counted(bench.deployment, kind, twin, counter, deadline)
    return CALLS[kind](twin, counter, deadline, guardians(salt), signatures(text, signers))


def act(bench: Bench, kind: g.Counted, *signers: str, twin: int = 1) -> Call:
    """In time and at the present counter."""
    return carried(bench, kind, twin, bench.view.counter(twin), bench.clock.at + DAY, signers)


def announcement(bench: Bench, to: str, *signers: str, twin: int = 1, recipient: str = "") -> Call:
    fields = (twin, who(to).address, bench.view.counter(twin), bench.clock.at + DAY)
    text = g.announce_move(bench.deployment, *fields)
    signed = who(recipient or to).sign_digest(text)
    return guardian_calls.announce_move(*fields, guardians(), signatures(text, signers), signed)

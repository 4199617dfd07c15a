"""What the release of keys costs in computing: two of three custodians, beside Umbral's re-encryption by two of three.

Ours is the whole of it, in one process and without a disk or a network: the reader's signed request, each of three
custodians opens the shares, asks the rule, signs a receipt and seals its answer; the reader verifies the receipts,
opens, and combines. Umbral (Nuñez 2018, as `umbral-pre` has it) keeps a capsule for each snapshot: each of two proxies
re-encrypts it with its key fragment and proves that, the reader verifies both and decrypts. No proxy asks a rule, signs
a receipt, or can be told to stop but by forgetting its fragment.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from dtledger.snapshots.opening import custody_secrets
from dtledger.testing import World

from .asking import Asker
from .bench import Bench
from .figures import NotMeasuredError, Rival, Row
from .timing import in_turns

UMBRAL = "Umbral, 2 of 3 re-encrypt"


def release(bench: Bench) -> Row:
    return _row(bench, 1)


def release_fortnight(bench: Bench) -> Row:
    return _row(bench, bench.sizes.fortnight)


def _row(bench: Bench, snapshots: int) -> Row:
    ours, rival = _ours(bench, snapshots), _Umbral.of(bench).opener(snapshots)
    took, other = in_turns(ours, rival, bench.sizes.runs)
    return Row(
        f"the keys of {snapshots:,} snapshot{'s' if snapshots > 1 else ''} released by 2 of 3 custodians on one "
        "request and combined, a snapshot's part of the processor's time, p50",
        took.cpu * 1000 / snapshots,
        "ms",
        rivals=(Rival(UMBRAL, other.cpu * 1000 / snapshots),),
        beside="all three custodians are asked and sign receipts; no network, no disk, no chain",
    )


def _ours(bench: Bench, snapshots: int) -> Callable[[], object]:
    world = bench.once("release-world", lambda: bench.stack.enter_context(World(hours=bench.sizes.fortnight)))
    asker = Asker.of(world.clinician, world.consent)
    found = asker.find("glucose")[:snapshots]
    assert len(found) == snapshots, "the world has fewer snapshots"

    def work() -> None:
        context = world.clinician.context
        opened, _ = custody_secrets(
            context.deployment, context.custodians, asker.asking(), found, asker.keys, "glucose"
        )
        assert len(opened) == snapshots, "a custodian refused what was granted"

    return work


class _Umbral:
    """A patient's key, a reader's, and the fragments of three proxies between them."""

    def __init__(self) -> None:
        try:
            import umbral_pre as umbral
        except ImportError:
            raise NotMeasuredError("no umbral-pre: pip install -e '.[bench]'") from None
        self._umbral: Any = umbral
        self._patient, self._reader = umbral.SecretKey.random(), umbral.SecretKey.random()
        self._signer = umbral.Signer(umbral.SecretKey.random())
        self._fragments = umbral.generate_kfrags(
            delegating_sk=self._patient,
            receiving_pk=self._reader.public_key(),
            signer=self._signer,
            threshold=2,
            shares=3,
            sign_delegating_key=True,
            sign_receiving_key=True,
        )

    @classmethod
    def of(cls, bench: Bench) -> _Umbral:
        return bench.once("umbral", cls)

    def opener(self, snapshots: int) -> Callable[[], object]:
        """What opens so many keys of 32 bytes, each encrypted to the patient."""
        public = self._patient.public_key()
        sealed = [self._umbral.encrypt(public, secrets.token_bytes(32)) for _ in range(snapshots)]
        return lambda: [self._open(capsule, ciphertext) for capsule, ciphertext in sealed]

    def _open(self, capsule: Any, ciphertext: bytes) -> bytes:
        umbral, patient, reader = self._umbral, self._patient.public_key(), self._reader.public_key()
        answers = [bytes(umbral.reencrypt(capsule, each)) for each in self._fragments[:2]]
        verified = [
            umbral.CapsuleFrag.from_bytes(each).verify(capsule, self._signer.verifying_key(), patient, reader)
            for each in answers
        ]
        opened: bytes = umbral.decrypt_reencrypted(self._reader, patient, capsule, verified, ciphertext)
        return opened


ROWS = {"release": release, "release-fortnight": release_fortnight}

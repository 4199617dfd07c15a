"""Custodians that fail to order.

>>> from dtledger.testing import World
>>> with World() as world:
...     world.custodians[0].fault = Fault.WRONG_SHARE
...     readings = world.clinician.read(world.twin, "glucose", "TREAT")
...     len(readings), list(readings.faults) == [world.custodians[0].address]
(72, True)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum

from ..crypto import seal
from ..custodian import Custodian, MemoryLetters, MemoryReceipts, MemoryTwinKeys
from ..custody import (
    RELEASE_CONTEXT,
    AccessReceipt,
    Destruction,
    Letter,
    LettersRequest,
    OwnerRequest,
    Probe,
    ProbeReply,
    ReadRequest,
    ReceiptProof,
    Release,
    RetireOrder,
    SealedShare,
    ShareHeader,
    TwinKey,
    encode_release,
)
from ..errors import AccessDeniedError, UnreachableError
from ..types import Digest
from ..vocabulary import Reason
from .memory_key import MemoryKey
from .memory_ledger import MemoryLedger


class Fault(Enum):
    """What is wrong with a custodian."""

    DEAD = "it does not answer"
    DENYING = "it refuses what consent permits"
    WRONG_SHARE = "it gives shares with one bit changed"
    WRONG_BIT = "it says that shares are of another category's bit"


class WorldCustodian(Custodian):
    """A custodian in memory, with its own node (`ledger`) and, from when `fault` is set until it is None, a fault."""

    def __init__(
        self, key: MemoryKey, ledger: MemoryLedger, clock: Callable[[], int], twin_keys: MemoryTwinKeys | None = None
    ) -> None:
        self.log = MemoryReceipts()
        self.mail = MemoryLetters()
        self.keys = twin_keys or MemoryTwinKeys()
        super().__init__(key, ledger, self.keys, self.log, clock, letters=self.mail, ticks=clock)
        self.ledger = ledger
        self.fault: Fault | None = None

    def __repr__(self) -> str:
        return f"WorldCustodian({self.address}{f', {self.fault.name}' if self.fault else ''})"

    def beside(self, ledger: MemoryLedger) -> WorldCustodian:
        """The same custodian at work for another deployment of the line, with the same key pairs and its own log."""
        assert isinstance(self._key, MemoryKey)
        return WorldCustodian(self._key, ledger, self._clock, self.keys)

    def twin_key(self, request: OwnerRequest) -> TwinKey:
        self._answer()
        return super().twin_key(request)

    def receipts(self, request: OwnerRequest, first: int = 0, most: int | None = None) -> list[AccessReceipt]:
        self._answer()
        return super().receipts(request, first, most)

    def digests(self, request: OwnerRequest, first: int = 0, most: int | None = None) -> list[tuple[Digest, ...]]:
        self._answer()
        return super().digests(request, first, most)

    def probe(self, probe: Probe) -> ProbeReply:
        self._answer()
        return super().probe(probe)

    def destroy(self, request: OwnerRequest) -> Destruction:
        self._answer()
        return super().destroy(request)

    def receipt_proof(self, request: OwnerRequest) -> ReceiptProof | None:
        self._answer()
        return super().receipt_proof(request)

    def retire(self, order: RetireOrder) -> Destruction:
        self._answer()
        return super().retire(order)

    def leave(self, letter: Letter) -> None:
        self._answer()
        super().leave(letter)

    def letters(self, request: LettersRequest) -> list[Letter]:
        self._answer()
        return super().letters(request)

    def open(self, request: ReadRequest, shares: Sequence[SealedShare]) -> Release:
        self._answer()
        if self.fault is Fault.DENYING:
            raise AccessDeniedError("NO_CONSENT (by order of the test).", reason=Reason.NO_GRANT)
        release = super().open(request, shares)
        if self.fault is None:
            return release
        refused = {digest for digest, _ in release.refused}
        opened = [pair for pair in self._open_shares(request, shares) if pair[0].digest not in refused]
        lies = encode_release([self._lie(header, share) for header, share in opened])
        return replace(release, sealed=seal.seal_once(request.key, lies, RELEASE_CONTEXT))

    def open_recovery(self, request: ReadRequest, share: SealedShare) -> Release:
        self._answer()
        if self.fault is Fault.DENYING:
            raise AccessDeniedError("NO_CONSENT (by order of the test).", reason=Reason.NO_GRANT)
        release = super().open_recovery(request, share)
        if self.fault is None:
            return release
        header, value = self._open_recovery(request, share)
        lie = header.encode(bytes([value[0] ^ 1]) + value[1:])
        return replace(release, sealed=seal.seal_once(request.key, lie, RELEASE_CONTEXT))

    def _answer(self) -> None:
        if self.fault is Fault.DEAD:
            raise UnreachableError(f"The custodian {self.address} does not answer (by order of the test).")

    def _lie(self, header: ShareHeader, share: bytes) -> tuple[ShareHeader, bytes]:
        if self.fault is Fault.WRONG_BIT:
            return replace(header, bit=(header.bit + 1) % 32), share
        return header, bytes([share[0] ^ 1]) + share[1:]

"""Probes: an owner asks how a custodian would answer under a grant now, and the custodian signs what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .. import encoding
from ..errors import IntegrityError
from ..ledger import Deployment, Slot, messages
from ..types import Address, Digest
from ..vocabulary import Reason
from .cells import readable, signed_cells

_BODY = (str, str, int, str, int, int, int, int, bytes)
"""What a reply's body is made of, in the order of its fields, the slot's beside each other."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Signed by the slot's owner for one custodian; `at` is in unix seconds."""

    slot: Slot
    at: int
    signature: bytes = b""

    def to_sign(self, deployment: Deployment, custodian: Address) -> Digest:
        slot = self.slot
        return messages.probe(deployment, slot.owner, slot.twin, slot.grantee, slot.number, custodian, self.at)

    def signed(self, signature: bytes) -> Probe:
        return replace(self, signature=signature)


@dataclass(frozen=True, slots=True)
class ProbeReply:
    """How the rule answered under the grant at that block, before it looked at category, purpose or period; `at` is
    in unix seconds."""

    custodian: Address
    slot: Slot
    reason: Reason
    at: int
    block: int
    block_hash: Digest
    signature: bytes = b""

    @property
    def refuses(self) -> bool:
        """Whether nothing at all is opened under the grant."""
        return not self.reason.permits and self.reason <= Reason.EXPIRED

    def body(self) -> list[Any]:
        slot = self.slot
        grant = [slot.owner, slot.twin, slot.grantee, slot.number]
        return [self.custodian, *grant, int(self.reason), self.at, self.block, self.block_hash]

    def to_sign(self, deployment: Deployment) -> Digest:
        return messages.statement(deployment, "ProbeReply", encoding.sha256(encoding.encode(self.body())))

    def signed(self, signature: bytes) -> ProbeReply:
        return replace(self, signature=signature)

    def verify(self, deployment: Deployment, custodian: Address, slot: Slot) -> ProbeReply:
        """Itself, if that custodian signed it of that slot.

        Raises:
            IntegrityError: it did not; `.party` is the custodian.
        """
        signer = messages.signer(self.to_sign(deployment), self.signature)
        if (signer, self.custodian, self.slot) != (custodian, custodian, slot):
            raise IntegrityError("a custodian's reply to a probe is not its own, or of another grant", party=custodian)
        return self

    def encode(self) -> bytes:
        return encoding.encode([self.body(), self.signature])

    @classmethod
    def decode(cls, data: bytes) -> ProbeReply:
        """The reply that `encode` wrote; whether it is signed is another question.

        Raises:
            IntegrityError: it is not one.
        """
        with readable("a reply to a probe"):
            body, signature = signed_cells(data, _BODY)
            custodian, owner, twin, grantee, number, reason, at, block, block_hash = body
            slot = Slot(encoding.address(owner), twin, encoding.address(grantee), number)
            return cls(encoding.address(custodian), slot, Reason(reason), at, block, Digest(block_hash), signature)

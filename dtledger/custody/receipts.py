"""Access receipts: a custodian's signed account of one request."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from .. import encoding
from ..errors import IntegrityError
from ..ledger import Deployment, messages
from ..types import Address, Digest
from ..vocabulary import Action, Purpose, Reason
from .cells import readable, signed_cells

NOTHING_BEFORE = encoding.sha256(b"")
"""What the first receipt names as the one before it."""

_BODY = (str, int, bytes, int, int, bytes, str, str, int, int, int, bytes, int, list, bytes, int, int, bytes)
"""What a receipt's body is made of, in the order of its fields."""


@dataclass(frozen=True, slots=True)
class AccessReceipt:
    """A custodian's signed account of one request, permits and denials. It is written before any key leaves.

    Number and previous hash stand twice: in the custodian's log and in the twin's. `digests` is the Merkle root of
    the digests asked for; the custodian keeps the list beside it. `refused` has (digest, reason).
    """

    custodian: Address
    number: int
    previous: Digest
    twin: int
    twin_number: int
    twin_previous: Digest
    requester: Address
    grantee: Address
    slot: int
    action: Action
    purpose: Purpose
    digests: Digest
    count: int
    refused: tuple[tuple[Digest, Reason], ...]
    request: Digest
    at: int
    block: int
    block_hash: Digest
    signature: bytes = b""

    @property
    def permitted(self) -> int:
        return self.count - len(self.refused)

    def body(self) -> list[Any]:
        return [
            self.custodian,
            self.number,
            self.previous,
            self.twin,
            self.twin_number,
            self.twin_previous,
            self.requester,
            self.grantee,
            self.slot,
            int(self.action),
            int(self.purpose),
            self.digests,
            self.count,
            [[digest, int(reason)] for digest, reason in self.refused],
            self.request,
            self.at,
            self.block,
            self.block_hash,
        ]

    @property
    def hash(self) -> Digest:
        """What the next receipt names as previous."""
        return encoding.sha256(encoding.encode(self.body()))

    def to_sign(self, deployment: Deployment) -> Digest:
        return messages.statement(deployment, "AccessReceipt", self.hash)

    def verify(self, deployment: Deployment) -> AccessReceipt:
        """Itself, if its custodian signed it.

        Raises:
            IntegrityError: it did not; `.party` is the custodian.
        """
        if messages.signer(self.to_sign(deployment), self.signature) != self.custodian:
            raise IntegrityError("a receipt is not signed by its custodian", party=self.custodian)
        return self

    def encode(self) -> bytes:
        return encoding.encode([self.body(), self.signature])

    @classmethod
    def decode(cls, data: bytes) -> AccessReceipt:
        """The receipt that `encode` wrote; whether it is signed is another question.

        Raises:
            IntegrityError: it is not one.
        """
        with readable("a receipt"):
            body, signature = signed_cells(data, _BODY)
            values = dict(zip((field.name for field in fields(cls)), body, strict=False))
            values |= {name: encoding.address(values[name]) for name in ("custodian", "requester", "grantee")}
            values |= {"action": Action(values["action"]), "purpose": Purpose(values["purpose"])}
            values["refused"] = tuple((Digest(digest), Reason(reason)) for digest, reason in values["refused"])
            return cls(**values, signature=signature)

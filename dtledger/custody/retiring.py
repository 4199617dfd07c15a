"""Retiring: an owner orders a custodian to destroy key pairs that the twin's roster in force no longer names."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import encoding
from ..ledger import Deployment, messages
from ..types import Address, Digest


@dataclass(frozen=True, slots=True)
class RetireOrder:
    """The end of the pairs named `keys` (SHA-256 of their public halves), held or not: one that comes back is destroyed
    before it serves. `roster` is the block of the roster in force, by which the custodian sees for itself that none of
    them is needed. Signed by the owner for that custodian alone."""

    twin: int
    owner: Address
    custodian: Address
    keys: tuple[Digest, ...]
    roster: bytes
    at: int
    signature: bytes = b""

    def to_sign(self, deployment: Deployment) -> Digest:
        roster = encoding.sha256(self.roster)
        body = encoding.encode([self.twin, self.owner, self.custodian, list(self.keys), roster, self.at])
        return messages.statement(deployment, "RetireOrder", encoding.sha256(body))

    def signed(self, signature: bytes) -> RetireOrder:
        return replace(self, signature=signature)

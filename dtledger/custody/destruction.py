"""Destruction: a custodian's signed word that it destroyed its key pairs for a twin, at the owner's order.

It is a promise, not a proof: nobody can show that no copy of a key is left. It names each pair that the custodian ever
destroyed for the twin by the SHA-256 of its public half, which rosters carry, so that a reader sees which shares of
which roster it covers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from .. import encoding
from ..errors import IntegrityError
from ..ledger import Deployment, messages
from ..types import Address, Digest
from .cells import readable, require_kinds, signed_cells

_BODY = (str, int, str, list, bytes, int, int)
"""What a statement's body is made of, in the order of its fields."""


@dataclass(frozen=True, slots=True)
class Destruction:
    """What a custodian says: `keys` are gone, at the order whose hash is `order`, at unix seconds `at`, as the ledger
    stood at `block`."""

    custodian: Address
    twin: int
    owner: Address
    keys: tuple[Digest, ...]
    order: Digest
    at: int
    block: int
    signature: bytes = b""

    def covers(self, keys: Iterable[bytes]) -> bool:
        """Whether all of these public keys are among those that it names."""
        return {encoding.sha256(key) for key in keys} <= set(self.keys)

    def to_sign(self, deployment: Deployment) -> Digest:
        return messages.statement(deployment, "Destruction", encoding.sha256(encoding.encode(self._body())))

    def signed(self, signature: bytes) -> Destruction:
        return replace(self, signature=signature)

    def verify(self, deployment: Deployment, twin: int, custodian: Address) -> Destruction:
        """Itself, if that custodian signed it, of that twin.

        Raises:
            IntegrityError: it did not; `.party` is the custodian.
        """
        signer = messages.signer(self.to_sign(deployment), self.signature)
        if (self.twin, self.custodian, signer) != (twin, custodian, custodian):
            raise IntegrityError("a destruction is not signed by its custodian, or is of another twin", party=custodian)
        return self

    def encode(self) -> bytes:
        return encoding.encode([self._body(), self.signature])

    @classmethod
    def decode(cls, data: bytes) -> Destruction:
        """The statement that `encode` wrote; whether it is signed is another question.

        Raises:
            IntegrityError: it is not one.
        """
        with readable("a destruction"):
            body, signature = signed_cells(data, _BODY)
            custodian, twin, owner, keys, order, at, block = body
            require_kinds(keys, (bytes,) * len(keys))
            if {len(each) for each in (*keys, order)} != {32}:
                raise ValueError("digests of another length")
            named = tuple(map(Digest, keys))
            parties = encoding.address(custodian), encoding.address(owner)
            return cls(parties[0], twin, parties[1], named, Digest(order), at, block, signature)

    def _body(self) -> list[Any]:
        return [self.custodian, self.twin, self.owner, list(self.keys), self.order, self.at, self.block]

"""Who answers at an address on the network: a custodian's word, signed with a number that the asker drew."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import encoding
from ..errors import IntegrityError
from ..ledger import Deployment, messages
from ..types import Address, Digest, Head

NONCE_BYTES = 32


@dataclass(frozen=True, slots=True)
class CustodianIdentity:
    """The custodian's address, the deployment that it serves by its id, and its node's head."""

    custodian: Address
    deployment: str
    head: Head
    signature: bytes = b""

    def to_sign(self, deployment: Deployment, nonce: bytes) -> Digest:
        body = [self.custodian, self.deployment, self.head.number, self.head.hash, self.head.at, nonce]
        return messages.statement(deployment, "CustodianIdentity", encoding.sha256(encoding.encode(body)))

    def signed(self, signature: bytes) -> CustodianIdentity:
        return replace(self, signature=signature)

    def verify(self, deployment: Deployment, nonce: bytes) -> CustodianIdentity:
        """Itself, if the custodian signed it for that number, of that deployment.

        Raises:
            IntegrityError: it did not.
        """
        if self.deployment != deployment.id:
            raise IntegrityError("a custodian serves another deployment", party=self.custodian)
        if messages.signer(self.to_sign(deployment, nonce), self.signature) != self.custodian:
            raise IntegrityError("a custodian's identity is not signed by it", party=self.custodian)
        return self

"""Handing a twin over: what its recipient signs to agree, and the twin's secrets on their way to it.

A hand-over is sealed to the recipient's key to seal to, which the recipient named and signed when it agreed, and signed
by the owner who made it, so that nobody else can slip other secrets under a new owner. Whoever has it besides learns
who hands which twin to whom, and nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import encoding
from ..crypto import padding, seal
from ..errors import IntegrityError
from ..keys import TwinSecrets
from ..ledger import Deployment, messages
from ..types import Address, Digest

_PADDED = 4096
"""Secrets are padded to a multiple of this, so that their size does not tell how many generations there are."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A recipient's signed wish to own a twin, good until `deadline` and while the twin's counter stands at `counter`;
    and its public key to seal to, signed for this."""

    twin: int
    to: Address
    counter: int
    deadline: int
    signature: bytes
    key: bytes
    key_signature: bytes

    def move(self, deployment: Deployment) -> Digest:
        """What recipient and owner sign."""
        return messages.move(deployment, self.twin, self.to, self.counter, self.deadline)

    @staticmethod
    def names_key(deployment: Deployment, twin: int, to: Address, key: bytes) -> Digest:
        """What `key_signature` covers."""
        return messages.statement(deployment, "Recipient", encoding.sha256(encoding.encode([twin, to, key])))

    def verify(self, deployment: Deployment) -> Acceptance:
        """Itself, if its recipient signed both, and its key can be sealed to.

        Raises:
            IntegrityError: it did not, or it cannot; `.party` is the recipient.
        """
        if messages.signer(self.move(deployment), self.signature) != self.to:
            raise IntegrityError("the recipient of a twin did not sign that it takes it", party=self.to)
        return self.verify_key(deployment)

    def verify_key(self, deployment: Deployment) -> Acceptance:
        """Itself, if its recipient signed its key, whatever became of the move. Raises as `verify`."""
        named = self.names_key(deployment, self.twin, self.to, self.key)
        if messages.signer(named, self.key_signature) != self.to:
            raise IntegrityError("the recipient of a twin did not sign the key that it names", party=self.to)
        seal.check_public(self.key)
        return self


@dataclass(frozen=True, slots=True)
class Handover:
    """A twin's secrets, sealed by `owner` to `to`."""

    twin: int
    owner: Address
    to: Address
    sealed: bytes
    signature: bytes = b""

    @classmethod
    def of(
        cls, deployment: Deployment, twin: int, owner: Address, to: Address, key: bytes, secrets: TwinSecrets
    ) -> Handover:
        """Not signed yet; `key` is the recipient's public key to seal to."""
        content = padding.pad(encoding.encode(secrets.to_dict()), _PADDED)
        return cls(twin, owner, to, seal.seal(key, content, _context(deployment, twin, owner, to)))

    def to_sign(self, deployment: Deployment) -> Digest:
        """What its owner signs."""
        body = encoding.encode([self.twin, self.owner, self.to, self.sealed])
        return messages.statement(deployment, "Handover", encoding.sha256(body))

    def signed(self, signature: bytes) -> Handover:
        """The same with its owner's signature."""
        return replace(self, signature=signature)

    def open(self, deployment: Deployment, key: seal.SealKey) -> TwinSecrets:
        """The secrets.

        Raises:
            IntegrityError: its owner did not sign it, or it is not sealed to this key; `.party` is the owner.
        """
        if messages.signer(self.to_sign(deployment), self.signature) != self.owner:
            raise IntegrityError("a hand-over is not signed by the owner that it names", party=self.owner)
        try:
            opened = seal.open_(key, self.sealed, _context(deployment, self.twin, self.owner, self.to))
            return TwinSecrets.from_dict(encoding.decode(padding.unpad(opened)))
        except IntegrityError as error:
            raise IntegrityError(f"a hand-over does not open: {error.message}", party=self.owner) from error


def _context(deployment: Deployment, twin: int, owner: Address, to: Address) -> bytes:
    return encoding.encode(["dtledger/handover/1", deployment.origin, twin, owner, to])

"""Guardians' shares: whom a recovery package is sealed to, and the share that one of them gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .. import encoding
from ..contacts import CardCheck, MemberCardFile
from ..crypto import padding, seal
from ..errors import InputError, IntegrityError
from ..ledger import Deployment, messages
from ..snapshots.blame import blaming
from ..types import Address, Digest
from .keyrings import with_any


@dataclass(frozen=True, slots=True)
class Guardian:
    """Who may help to recover a twin, and the public key that its share is sealed to (as its signed card names it)."""

    address: Address
    key: bytes = field(repr=False)

    @classmethod
    def of_card(cls, card: MemberCardFile, check: CardCheck) -> Guardian:
        """The guardian whose signed card this is; it needs no enrolment for it.

        Raises:
            IntegrityError: the card is not signed by whom it names, or its key is none.
        """
        card.verify(check)
        return cls(card.address, card.public_key)


@dataclass(frozen=True, slots=True)
class GuardianKeys:
    """`needed` of these are needed."""

    needed: int
    people: tuple[Guardian, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.needed <= len(self.people) <= 255:
            raise InputError(f"{self.needed} of {len(self.people)} guardians is no threshold.")
        if len({each.address for each in self.people}) != len(self.people):
            raise InputError("A guardian is named twice.")


@dataclass(frozen=True, slots=True)
class GuardianShare:
    """A guardian's share of one package, sealed to whom the twin goes to, and signed by the guardian."""

    twin: int
    package: Digest
    guardian: Address
    to: Address
    number: int
    sealed: bytes = field(repr=False)
    signature: bytes = b""

    def to_sign(self, deployment: Deployment) -> Digest:
        """What its guardian signs."""
        body = [self.twin, self.package, self.guardian, self.to, self.number, self.sealed]
        return messages.statement(deployment, "GuardianShare", encoding.sha256(encoding.encode(body)))

    def open(self, deployment: Deployment, keys: Sequence[seal.SealKey]) -> bytes:
        """The share.

        Raises:
            IntegrityError: its guardian did not sign it, or it is not sealed to these keys; `.party` is the guardian.
        """
        if messages.signer(self.to_sign(deployment), self.signature) != self.guardian:
            raise IntegrityError("a guardian's share is not signed by it", party=self.guardian)
        with blaming(self.guardian):
            return padding.unpad(with_any(keys, lambda key: seal.open_(key, self.sealed, self._context(deployment))))

    def _context(self, deployment: Deployment) -> bytes:
        cells = ["dtledger/guardian-gives/1", deployment.origin, self.twin, self.package, self.guardian, self.to]
        return encoding.encode(cells)

    def of(self, deployment: Deployment, key: bytes, share: bytes) -> GuardianShare:
        """Itself with that share, sealed to the public key `key`; not signed yet."""
        return replace(self, sealed=seal.seal(key, padding.pad(share, 64), self._context(deployment)))

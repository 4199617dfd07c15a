"""The research terms of a TRAIN grant: on no ledger, and still not to be left out.

They go to the grantee inside its package, and to the owner in a seal beside it, for renewing. The package's block has a
salted hash of them, and the ledger the block's digest: so whoever is shown terms and salt knows that they are those
which the owner gave, all of them. A TRAIN grant without terms has such a hash too: from outside there is no telling.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import encoding
from ..crypto import padding, seal
from ..errors import IntegrityError
from ..ledger import Deployment, Slot
from ..types import Digest

SALT_BYTES = 32
MOST_TERMS = 16
BLOCK = 1024
"""The owner's seal is padded to a multiple of this."""


@dataclass(frozen=True, slots=True)
class Research:
    """Terms as they are written (`dtledger.vocabulary.duo`), in order, and the salt of their hash."""

    terms: tuple[str, ...]
    salt: bytes = field(repr=False)

    @classmethod
    def draw(cls, terms: Iterable[str]) -> Research:
        """The terms under a new salt."""
        return cls(tuple(sorted(set(terms))), secrets.token_bytes(SALT_BYTES))

    def commitment(self, deployment: Deployment, slot: Slot) -> Digest:
        """What stands in the package's block."""
        where = [slot.owner, slot.twin, slot.grantee, slot.number]
        said = ["dtledger/research/1", deployment.origin, *where, self.salt, list(self.terms)]
        return encoding.sha256(encoding.encode(said))

    def to_list(self) -> list[Any]:
        return [self.salt, list(self.terms)]

    @classmethod
    def of_list(cls, cells: Any) -> Research:
        """Raises:
        ValueError: they are malformed.
        """
        match cells:
            case [bytes(salt), [*terms]] if len(salt) == SALT_BYTES and len(terms) <= MOST_TERMS:
                if all(isinstance(each, str) and each.isprintable() for each in terms) and terms == sorted(set(terms)):
                    return cls(tuple(terms), salt)
        raise ValueError("research terms are malformed")

    def sealed_to_owner(self, deployment: Deployment, slot: Slot, public: bytes) -> bytes:
        return seal.seal(public, padding.pad(encoding.encode(self.to_list()), BLOCK), _context(deployment, slot))


def opened_by_owner(deployment: Deployment, slot: Slot, block: bytes, keys: Sequence[seal.SealKey]) -> Research | None:
    """The terms that an owner keeps beside a package; None if it has none.

    Raises:
        IntegrityError: none of these keys opens them, or they are not those that the block has the hash of.
    """
    match encoding.decode(block):
        case {"research": bytes(commitment), "own": bytes(sealed)}:
            for key in keys:
                try:
                    content = padding.unpad(seal.open_(key, sealed, _context(deployment, slot)))
                    found = Research.of_list(encoding.decode(content))
                except (IntegrityError, ValueError):
                    continue
                if found.commitment(deployment, slot) == commitment:
                    return found
            raise IntegrityError("a grant's research terms do not open", party=slot.owner)
    return None


def commitment_of(block: bytes) -> Digest | None:
    """The hash of the terms that a package's block has; None if it has none."""
    match encoding.decode(block):
        case {"research": bytes(commitment)} if len(commitment) == 32:
            return Digest(commitment)
    return None


def _context(deployment: Deployment, slot: Slot) -> bytes:
    where = [slot.owner, slot.twin, slot.grantee, slot.number]
    return encoding.encode(["dtledger/research-of-owner/1", deployment.origin, *where])

"""Shares of a recovery package, as they stand inside a seal: a custodian's, of the kind RECOVERY, and a guardian's.

The kind comes first, so that no share of a snapshot passes for one of these, nor the other way round: what a grant
opens and what brings an owner's keys back stay apart.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, cast

from .. import encoding
from ..errors import IntegrityError
from ..types import Address, Digest
from .cells import cells_of

ShareKind = Literal["RECOVERY", "GUARDIAN"]

GUARDIAN_CONTEXT = b"dtledger/guardian-share/1"


@dataclass(frozen=True, slots=True)
class RecoveryHeader:
    """What stands beside the share: of which package (its 32 random bytes), on which deployment, of which twin and
    owner, and which number."""

    kind: ShareKind
    deployment: str
    twin: int
    owner: Address
    package: Digest
    number: int

    def encode(self, share: bytes) -> bytes:
        return encoding.encode([*self._cells(), share])

    @classmethod
    def decode(cls, data: bytes, kind: ShareKind) -> tuple[RecoveryHeader, bytes]:
        """Header and share of an opened seal.

        Raises:
            IntegrityError: it is not a share of that kind.
        """
        with suppress(ValueError):
            stated, deployment, twin, owner, package, number, share = cells_of(
                data, str, str, int, str, bytes, int, bytes
            )
            if stated == kind and len(package) == len(share) == 32:
                named = cast(ShareKind, stated)
                return cls(named, deployment, twin, encoding.address(owner), Digest(package), number), share
        raise IntegrityError(f"a seal does not hold a {kind} share")

    def hash(self, share: bytes) -> Digest:
        """What the package says of share and header without showing them: it tells who changed either."""
        return encoding.sha256(b"dtledger/recovery-share-hash/1" + self.encode(share))

    def _cells(self) -> list[Any]:
        return [self.kind, self.deployment, self.twin, self.owner, self.package, self.number]

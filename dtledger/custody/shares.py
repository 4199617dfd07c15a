"""Shares on their way: as they lie sealed in a custody block, what stands inside the seal, and a custodian's answer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from .. import encoding
from ..errors import IntegrityError
from ..types import Address, Digest, Period
from ..vocabulary.categories import CATEGORY_BITS
from .cells import cells_of

SHARE_CONTEXT = b"dtledger/share/1"
RELEASE_CONTEXT = b"dtledger/release/1"
SNAPSHOT = "SNAPSHOT"


@dataclass(frozen=True, slots=True)
class SealedShare:
    """One snapshot's share as it stands in a custody block, sealed to one custodian.

    `hash` is what the custody block says of it: with that, the custodian can tell a share that its writer sealed wrong,
    and complain instead of answering.
    """

    digest: Digest
    sealed: bytes
    hash: Digest | None = None


@dataclass(frozen=True, slots=True)
class ShareHeader:
    """What stands inside a seal beside the share: nobody else tells a custodian what it opens."""

    deployment: str
    twin: int
    writer: Address
    bit: int
    period: Period
    digest: Digest
    generation: int
    roster: int
    number: int

    def encode(self, share: bytes) -> bytes:
        return encoding.encode(
            [
                SNAPSHOT,
                self.deployment,
                self.twin,
                self.writer,
                self.bit,
                self.period.start,
                self.period.end,
                self.digest,
                self.generation,
                self.roster,
                self.number,
                share,
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> tuple[ShareHeader, bytes]:
        """Header and share of an opened seal.

        Raises:
            IntegrityError: it is not a SNAPSHOT share.
        """
        with suppress(ValueError):
            kind, deployment, twin, writer, bit, start, end, digest, generation, roster, number, share = cells_of(
                data, str, str, int, str, int, int, int, bytes, int, int, int, bytes
            )
            if kind == SNAPSHOT and 0 <= bit < CATEGORY_BITS and len(digest) == len(share) == 32:
                by, period = encoding.address(writer), Period(start, end)
                return cls(deployment, twin, by, bit, period, Digest(digest), generation, roster, number), share
        raise IntegrityError("a seal does not hold a share of a snapshot")

    def hash(self, share: bytes) -> Digest:
        """What a custody block says of the share and this header without showing them (a share has 256 bits, so nobody
        can guess it): it tells who changed either."""
        return encoding.sha256(b"dtledger/share-hash/1" + self.encode(share))


def encode_release(opened: Sequence[tuple[ShareHeader, bytes]]) -> bytes:
    """The plaintext of `Release.sealed`: the opened seals, one after another."""
    return encoding.encode([header.encode(share) for header, share in opened])


def decode_release(data: bytes) -> list[tuple[ShareHeader, bytes]]:
    """What `encode_release` wrote.

    Raises:
        IntegrityError: it is not that.
    """
    match encoding.decode(data):
        case [*rows] if all(isinstance(each, bytes) for each in rows):
            return [ShareHeader.decode(each) for each in rows]
    raise IntegrityError("an answer does not hold shares")

"""The custody block: a snapshot's custody secret in shares, one sealed to each custodian.

It points at the manifest's digest, never the reverse, so custody can be shared anew without touching an anchored
byte. Signed by the snapshot's writer or, after a re-share, by the twin's owner. The hash of each share, with the header
that is sealed beside it, stands beside its seal: what comes out wrong names the custodian that changed it or the writer
that sealed it so.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .. import encoding
from ..crypto import seal, shamir
from ..custody import SHARE_CONTEXT, ShareHeader
from ..errors import IntegrityError
from ..ledger import Deployment
from ..types import Address, Digest, Period
from .roster import Roster
from .signed import Signer, read_block, sign_block


@dataclass(frozen=True, slots=True)
class CustodyShare:
    """One custodian's share: who, its number from 1, the hash of the share, the seal."""

    custodian: Address
    number: int
    hash: Digest
    sealed: bytes


@dataclass(frozen=True, slots=True)
class CustodyBlock:
    """The shares of one snapshot under one roster version."""

    digest: Digest
    roster: int
    threshold: int
    shares: tuple[CustodyShare, ...]

    def sign(self, deployment: Deployment, signer: Signer) -> bytes:
        body = {
            "manifest": self.digest,
            "roster": self.roster,
            "threshold": self.threshold,
            "shares": [[each.custodian, each.number, each.hash, each.sealed] for each in self.shares],
        }
        return sign_block(deployment, "Custody", body, signer)

    @classmethod
    def read(cls, deployment: Deployment, block: bytes) -> tuple[CustodyBlock, Address]:
        """The custody block and who signed it.

        Raises:
            IntegrityError: it is not a well-formed signed custody block.
        """
        body, signer = read_block(deployment, "Custody", block)
        match body:
            case {
                "manifest": bytes(digest),
                "roster": int(roster),
                "threshold": int(threshold),
                "shares": [*rows],
                **rest,
            } if not rest and len(digest) == 32 and 1 <= threshold <= len(rows) <= shamir.MAX_SHARES:
                with suppress(ValueError):
                    shares = tuple(_share(cells, number) for number, cells in enumerate(rows, start=1))
                    return cls(Digest(digest), roster, threshold, shares), signer
        raise IntegrityError("a custody block is malformed", party=signer)


def _share(cells: Any, number: int) -> CustodyShare:
    match cells:
        case [str(custodian), int(stated), bytes(hashed), bytes(sealed)] if stated == number and len(hashed) == 32:
            return CustodyShare(encoding.address(custodian), number, Digest(hashed), sealed)
    raise ValueError("a share of a custody block is malformed")


def seal_custody(
    deployment: Deployment,
    roster: Roster,
    secret: bytes,
    *,
    twin: int,
    writer: Address,
    bit: int,
    period: Period,
    digest: Digest,
    generation: int,
) -> CustodyBlock:
    """Split a custody secret (32 bytes) among the roster's custodians and seal each share to its key for the twin."""
    shares = shamir.split(secret, roster.threshold, len(roster.keys))
    rows = []
    for key, share in zip(roster.keys, shares, strict=True):
        header = ShareHeader(
            deployment.origin, twin, writer, bit, period, digest, generation, roster.version, share.number
        )
        sealed = seal.seal(key.key, header.encode(share.value), SHARE_CONTEXT)
        rows.append(CustodyShare(key.custodian, share.number, header.hash(share.value), sealed))
    return CustodyBlock(digest, roster.version, roster.threshold, tuple(rows))

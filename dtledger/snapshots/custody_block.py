"""The custody block: a snapshot's custody secret in shares, one sealed to each custodian.

It points at the manifest's digest, never the reverse, so custody can be shared anew without touching an anchored
byte. Signed by the snapshot's writer or, after a re-share, by the twin's owner. The hash of each share stands
beside its seal: a wrong share names the custodian that gave it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .. import encoding
from ..crypto import seal, shamir
from ..custody import SHARE_CONTEXT, ShareHeader
from ..errors import IntegrityError
from ..ledger import Deployment
from ..types import Address, Digest, Period
from .roster import Roster
from .signed import Signer, read_block, sign_block


def share_hash(digest: Digest, number: int, share: bytes) -> Digest:
    """What a custody block says of a share without showing it (a share has 256 bits, so nobody can guess it)."""
    return encoding.sha256(b"dtledger/share-hash/1" + digest + bytes([number]) + share)


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
        try:
            shares = tuple(
                CustodyShare(encoding.address(custodian), number, Digest(hashed), sealed)
                for custodian, number, hashed, sealed in body["shares"]
            )
            digest = body["manifest"]
            well_formed = (
                len(digest) == 32
                and all(len(share.hash) == 32 and isinstance(share.sealed, bytes) for share in shares)
                and 1 <= body["threshold"] <= len(shares) <= 255
                and [share.number for share in shares] == list(range(1, len(shares) + 1))
            )
            if not well_formed:
                raise ValueError("shares")
            return cls(digest, body["roster"], body["threshold"], shares), signer
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError("a custody block is malformed", party=signer) from error


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
        header = ShareHeader(deployment.id, twin, writer, bit, period, digest, generation, roster.version, share.number)
        sealed = seal.seal(key.key, header.encode(share.value), SHARE_CONTEXT)
        rows.append(CustodyShare(key.custodian, share.number, share_hash(digest, share.number, share.value), sealed))
    return CustodyBlock(digest, roster.version, roster.threshold, tuple(rows))

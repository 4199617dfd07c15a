"""Asking: one signed request to each custodian of a roster, and what of an answer is to be believed.

A receipt must be the custodian's own for this very request, and tell of exactly the shares that came. A share must be
the one that the custody block promised, with the header that is sealed beside it: the hash there says whether the
custodian changed it (its fault) or the writer sealed it so (the writer's).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from ..custody import ReadRequest, Release, ShareHeader
from ..errors import IntegrityError
from ..ledger import Deployment
from ..types import Address, Digest
from ..vocabulary import Action, Purpose
from .finder import Found
from .signed import Signer


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, under which grant (the owner's own: grantee is the owner, number 0), what for, and when (unix seconds).

    `block` is the number of that by which the asker may; without one no custodian is waited for.
    """

    signer: Signer
    grantee: Address
    number: int
    action: Action
    purpose: Purpose
    at: int
    block: int = 0


def signed_request(deployment: Deployment, asking: Asking, snapshots: Sequence[Found], key: bytes) -> ReadRequest:
    """A request for all of these, under a new nonce, whose answers are sealed to `key`."""
    fields = ReadRequest(
        twin=snapshots[0].manifest.twin,
        grantee=asking.grantee,
        number=asking.number,
        action=asking.action,
        purpose=asking.purpose,
        digests=tuple(each.digest for each in snapshots),
        key=key,
        nonce=secrets.token_bytes(32),
        at=asking.at,
    )
    return fields.signed(asking.signer.sign_digest(fields.to_sign(deployment)))


def check_receipt(
    deployment: Deployment, custodian: Address, asking: Asking, request: ReadRequest, root: Digest, release: Release
) -> None:
    """Pass if the receipt is the custodian's own account of this request, and says what its answer says.

    Raises:
        IntegrityError: it is not.
    """
    told = release.receipt.verify(deployment)
    said = (told.custodian, told.request, told.twin, told.requester, told.grantee, told.slot, told.action, told.purpose)
    true = (
        custodian,
        request.hash(deployment),
        request.twin,
        asking.signer.address,
        request.grantee,
        request.number,
        request.action,
        request.purpose,
    )
    refused = {digest for digest, _ in told.refused}
    honest = (
        said == true
        and (told.digests, told.count) == (root, len(request.digests))
        and told.refused == release.refused
        and len(refused) == len(told.refused)
        and refused <= set(request.digests)
        and not any(reason.permits for _, reason in told.refused)
    )
    if not honest:
        raise IntegrityError("a custodian's receipt is not for this request and answer")


def check_answer(
    deployment: Deployment,
    snapshots: Sequence[Found],
    place: int,
    bit: int,
    release: Release,
    answer: Sequence[tuple[ShareHeader, bytes]],
) -> None:
    """Pass if exactly the shares came that the receipt counts, each as the custody blocks promised."""
    by_digest = {each.digest: each for each in snapshots}
    counted = by_digest.keys() - dict(release.refused).keys()
    if len(answer) != len(counted) or {header.digest for header, _ in answer} != counted:
        raise IntegrityError("a custodian gave other shares than its receipt counts")
    for header, share in answer:
        snapshot, block = by_digest[header.digest], header.digest.hex()
        promised = snapshot.custody.shares[place]
        if header.hash(share) != promised.hash:
            raise IntegrityError("a custodian gave a wrong share", block=block)
        if header != _expected(deployment, snapshot, bit, promised.number):
            raise IntegrityError(
                "a writer sealed a share as another category's, period's or snapshot's than it signed for",
                block=block,
                party=snapshot.sealed_by,
            )


def _expected(deployment: Deployment, snapshot: Found, bit: int, number: int) -> ShareHeader:
    """What must stand inside the seal of a share."""
    manifest = snapshot.manifest
    return ShareHeader(
        deployment.origin,
        manifest.twin,
        snapshot.writer,
        bit,
        manifest.period,
        snapshot.digest,
        manifest.generation,
        snapshot.custody.roster,
        number,
    )

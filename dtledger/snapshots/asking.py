"""Asking: one signed request to each custodian of a roster, and what of its answer is to be believed.

A receipt must be the custodian's own for this very request, and tell of exactly the shares that came. A share must be
the one that the custody block promised, with the header that is sealed beside it: the hash there says whether the
custodian changed it (its fault) or the writer sealed it so (the writer's). Whatever ails one custodian is kept beside
what the others gave.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from ..crypto import merkle, seal
from ..custody import (
    RELEASE_CONTEXT,
    AccessReceipt,
    CustodianPort,
    ReadRequest,
    Release,
    SealedShare,
    ShareHeader,
    decode_release,
    is_distant,
)
from ..errors import AccessDeniedError, DtledgerError, IntegrityError, UnreachableError
from ..ledger import Deployment
from ..types import Address, Digest
from ..vocabulary import Action, Purpose, Reason
from .at_once import at_once
from .blame import blaming
from .custody_block import CustodyShare
from .finder import Found
from .signed import Signer


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, under which grant (the owner's own: grantee is the owner, number 0), what for, and when."""

    signer: Signer
    grantee: Address
    number: int
    action: Action
    purpose: Purpose
    at: int


@dataclass(slots=True)
class Opened:
    """What a request brought. `refused` are snapshots that so many custodians refused that the others are too few;
    `faults` are custodians that answered wrongly or not at all, with what they did."""

    plaintexts: dict[Digest, bytes] = field(default_factory=dict, repr=False)
    refused: dict[Digest, Reason] = field(default_factory=dict)
    receipts: list[AccessReceipt] = field(default_factory=list)
    faults: dict[Address, DtledgerError] = field(default_factory=dict)
    asked: int = 0

    @property
    def answered(self) -> int:
        return self.asked - len(self.faults)


Shares = dict[Digest, dict[int, bytes]]
"""Manifest digest → share number → share, each with the hash that its custody block promised."""


def collect(
    deployment: Deployment,
    custodians: Mapping[Address, CustodianPort],
    asking: Asking,
    snapshots: Sequence[Found],
    bit: int,
    opened: Opened,
) -> Shares:
    """Ask every custodian of the snapshots' one roster; receipts, refusals and faults go into `opened`.

    Raises:
        AccessDeniedError: so many custodians take the asker for a stranger that the others are too few.
    """
    roster = [share.custodian for share in snapshots[0].custody.shares]
    one_use = seal.SealKey.generate()
    request = _sign(deployment, asking, snapshots, one_use.public)
    root = merkle.root(request.digests)
    shares: Shares = {each.digest: {} for each in snapshots}
    refusals: dict[Digest, list[Reason]] = {each.digest: [] for each in snapshots}
    denials: dict[Address, AccessDeniedError] = {}
    promised = [[each.custody.shares[place] for each in snapshots] for place in range(len(roster))]
    answers = _ask_all(custodians, roster, request, snapshots, promised)
    for place, address in enumerate(roster):
        opened.asked += 1
        try:
            with _complaining(snapshots):
                release = answers[address]()
            with blaming(address):
                check_receipt(deployment, address, asking, request, root, release)
                opened.receipts.append(release.receipt)
                answer = decode_release(seal.open_(one_use, release.sealed, RELEASE_CONTEXT))
                _check_answer(deployment, snapshots, place, bit, release, answer)
        except AccessDeniedError as error:
            denials[address] = error
        except DtledgerError as error:  # what ails one custodian must not stop the others
            opened.faults[address] = error
        else:
            for digest, reason in release.refused:
                refusals[digest].append(reason)
            for header, share in answer:
                shares[header.digest][header.number] = share
    if len(denials) > len(roster) - max(each.custody.threshold for each in snapshots):
        raise next(iter(denials.values()))
    opened.faults.update(denials)  # those who know no consent where enough others do: a clock may be wrong, or worse
    for each in snapshots:
        said = refusals[each.digest]
        if said and len(said) + len(denials) > len(roster) - each.custody.threshold:
            opened.refused[each.digest] = said[-1]
    return shares


def _ask_all(
    custodians: Mapping[Address, CustodianPort],
    roster: Sequence[Address],
    request: ReadRequest,
    snapshots: Sequence[Found],
    promised: Sequence[Sequence[CustodyShare]],
) -> dict[Address, Callable[[], Release]]:
    """Each custodian's answer, as a call that gives or raises it. Those on the network are asked at once, and nobody
    waits long for one of them when enough of the others have answered."""
    calls: dict[Address, Callable[[], Release]] = {}
    distant = False
    for address, shares in zip(roster, promised, strict=True):
        sealed = [
            SealedShare(each.digest, share.sealed, share.hash) for each, share in zip(snapshots, shares, strict=True)
        ]
        try:
            port = custodians.get(address)
        except DtledgerError as error:  # one that cannot be opened here is one that does not answer
            calls[address] = partial(_fail, error)
            continue
        distant = distant or (port is not None and is_distant(port))
        calls[address] = partial(_ask, port, address, request, sealed)
    return at_once(calls, enough=max(each.custody.threshold for each in snapshots)) if distant else calls


def _ask(port: CustodianPort | None, address: Address, request: ReadRequest, sealed: Sequence[SealedShare]) -> Release:
    if port is None:
        raise UnreachableError(f"the custodian {address} does not answer, or is not known to this profile")
    return port.open(request, sealed)


def _fail(error: DtledgerError) -> Release:
    raise error


@contextmanager
def _complaining(snapshots: Sequence[Found]) -> Iterator[None]:
    """Whose share a custodian complains of is whoever signed the custody block: the name in the seal is only what was
    put there."""
    try:
        yield
    except IntegrityError as error:
        if error.party:
            error.party = next((each.sealed_by for each in snapshots if each.digest.hex() == error.block), "")
        raise


def _sign(deployment: Deployment, asking: Asking, snapshots: Sequence[Found], key: bytes) -> ReadRequest:
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


def _check_answer(
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

"""Opening: from found snapshots to plaintexts, through the custodians and the reader's own keys.

One signed request goes to each custodian of a roster, with that custodian's own shares. Threshold many good shares
make the custody secret; with the leaves of the key tree it makes the content key, which the manifest commits to.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..crypto import content, keytree, seal, shamir
from ..custody import (
    RELEASE_CONTEXT,
    AccessReceipt,
    CustodianPort,
    ReadRequest,
    SealedShare,
    decode_release,
)
from ..errors import AccessDeniedError, DtledgerError, IntegrityError, UnreachableError
from ..ledger import Deployment
from ..types import Address, Digest
from ..vocabulary import Action, Purpose, Reason
from .custody_block import share_hash
from .finder import Found
from .package import Keys
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
    """What a request brought. `faults` are custodians that answered wrongly or not at all, with what they did."""

    plaintexts: dict[Digest, bytes] = field(default_factory=dict, repr=False)
    refused: dict[Digest, Reason] = field(default_factory=dict)
    receipts: list[AccessReceipt] = field(default_factory=list)
    faults: dict[Address, DtledgerError] = field(default_factory=dict)
    asked: int = 0

    @property
    def answered(self) -> int:
        return self.asked - len(self.faults)


def open_snapshots(
    deployment: Deployment,
    custodians: Mapping[Address, CustodianPort],
    asking: Asking,
    found: Sequence[Found],
    keys: Keys,
    category: str,
) -> Opened:
    """Open all of `found` (of one twin and category) that consent permits.

    Raises:
        AccessDeniedError: the custodians take the asker for a stranger.
        IntegrityError: too few good shares because some were wrong, or a block is not what was anchored.
        UnreachableError: fewer custodians than the threshold answered.
    """
    opened = Opened()
    rosters: dict[tuple[Address, ...], list[Found]] = {}
    for each in found:
        rosters.setdefault(tuple(share.custodian for share in each.custody.shares), []).append(each)
    for roster, snapshots in rosters.items():
        shares = _collect(deployment, custodians, asking, roster, snapshots, keys.bits.bit_of(category), opened)
        _decrypt(deployment, snapshots, shares, keys, category, opened)
    return opened


Shares = dict[Digest, dict[int, bytes]]


def _collect(
    deployment: Deployment,
    custodians: Mapping[Address, CustodianPort],
    asking: Asking,
    roster: tuple[Address, ...],
    snapshots: Sequence[Found],
    bit: int,
    opened: Opened,
) -> Shares:
    one_use = seal.SealKey.generate()
    request = _sign(deployment, asking, snapshots, one_use.public)
    shares: Shares = {each.digest: {} for each in snapshots}
    strangers: list[AccessDeniedError] = []
    for place, address in enumerate(roster):
        opened.asked += 1
        sealed = [SealedShare(each.digest, each.custody.shares[place].sealed) for each in snapshots]
        try:
            custodian = custodians.get(address)
            if custodian is None:
                raise UnreachableError(f"the custodian {address} is not known to this profile")
            release = custodian.open(request, sealed)
            opened.receipts.append(release.receipt.verify(deployment))
            opened.refused.update(dict(release.refused))
            plaintext = seal.open_(one_use, release.sealed, RELEASE_CONTEXT)
            _check_shares(snapshots, place, bit, plaintext, shares, address)
        except AccessDeniedError as error:
            strangers.append(error)
        except (IntegrityError, UnreachableError) as error:
            opened.faults[address] = error
    if strangers and not any(shares.values()):
        raise strangers[0]
    return shares


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


def _check_shares(
    snapshots: Sequence[Found], place: int, bit: int, plaintext: bytes, shares: Shares, custodian: Address
) -> None:
    """Take over the shares that the custody blocks promised; any other one is the custodian's fault."""
    by_digest = {each.digest: each for each in snapshots}
    for header, share in decode_release(plaintext):
        snapshot = by_digest.get(header.digest)
        if snapshot is None:
            raise IntegrityError("a custodian gave a share that was not asked for", party=custodian)
        promised = snapshot.custody.shares[place]
        if share_hash(header.digest, promised.number, share) != promised.hash:
            raise IntegrityError("a custodian gave a wrong share", block=header.digest.hex(), party=custodian)
        if header.bit != bit:
            raise IntegrityError(
                "a writer filed a snapshot under another category", block=header.digest.hex(), party=snapshot.writer
            )
        shares[header.digest][promised.number] = share


def _decrypt(
    deployment: Deployment,
    snapshots: Sequence[Found],
    shares: Shares,
    keys: Keys,
    category: str,
    opened: Opened,
) -> None:
    enough = [each for each in snapshots if len(shares[each.digest]) >= each.custody.threshold]
    for each in snapshots:
        if each not in enough and each.digest not in opened.refused:
            raise _too_few(each, opened)
    secret = shamir.combine_many([_first(shares[each.digest], each.custody.threshold) for each in enough])
    derivers: dict[int, keytree.Deriver] = {}
    for each, custody_secret in zip(enough, secret, strict=True):
        manifest = each.manifest
        if manifest.generation not in derivers:
            derivers[manifest.generation] = keys.deriver(category, manifest.generation)
        context = manifest.context(deployment)
        leaf_from, leaf_until = derivers[manifest.generation].ends(manifest.period)
        key = content.derive_key(leaf_from, leaf_until, custody_secret, context)
        try:
            key.check(manifest.commitment)
            opened.plaintexts[each.digest] = content.decrypt(key, each.chunks(), context)
        except IntegrityError as error:
            raise IntegrityError(str(error), block=each.digest.hex(), party=error.party or each.writer) from error
        opened.refused.pop(each.digest, None)


def _first(shares: Mapping[int, bytes], threshold: int) -> dict[int, bytes]:
    return {number: shares[number] for number in sorted(shares)[:threshold]}


def _too_few(snapshot: Found, opened: Opened) -> DtledgerError:
    wrong = [fault for fault in opened.faults.values() if isinstance(fault, IntegrityError)]
    if wrong:
        return wrong[0]
    return UnreachableError(
        f"{opened.answered} of {opened.asked} custodians answered, {snapshot.custody.threshold} are needed.",
        hint="Run `dtledger doctor`, or try again when the custodians are up.",
    )

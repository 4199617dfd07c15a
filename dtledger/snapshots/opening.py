"""Opening: from found snapshots to plaintexts, through the custodians and the reader's own keys.

One signed request goes to each custodian of a roster, with that custodian's own shares. Threshold many good shares
make the custody secret; with the leaves of the key tree it makes the content key, which the manifest commits to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..crypto import content, shamir
from ..custody import CustodianPort
from ..encoding import CID
from ..errors import DtledgerError, HeadTooOldError, IntegrityError, UnreachableError
from ..ledger import Deployment
from ..types import Address, Digest
from .asking import Asking
from .blame import blaming
from .finder import Found
from .gathering import Opened, collect
from .package import Keys


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
        AccessDeniedError: too many custodians take the asker for a stranger.
        IntegrityError: too few good shares because some were wrong, or a block is not what was anchored.
        UnreachableError: fewer custodians than the threshold answered.
    """
    opened = Opened()
    for snapshots in _by_roster(found):
        for each, _, key in _unlock(deployment, custodians, asking, snapshots, keys, category, opened):
            with blaming(each.writer, CID(each.digest)):
                context = each.manifest.context(deployment)
                opened.plaintexts[each.digest] = content.decrypt(key, each.chunks(), context)
    return opened


def custody_secrets(
    deployment: Deployment,
    custodians: Mapping[Address, CustodianPort],
    asking: Asking,
    found: Sequence[Found],
    keys: Keys,
    category: str,
) -> tuple[dict[Digest, bytes], Opened]:
    """The custody secrets of those that consent permits, each as its manifest commits to it, and what the custodians
    said. Raises as `open_snapshots`."""
    opened = Opened()
    secrets = {
        each.digest: secret
        for snapshots in _by_roster(found)
        for each, secret, _ in _unlock(deployment, custodians, asking, snapshots, keys, category, opened)
    }
    return secrets, opened


def _by_roster(found: Sequence[Found]) -> Iterable[list[Found]]:
    rosters: dict[tuple[Address, ...], list[Found]] = {}
    for each in found:
        rosters.setdefault(tuple(share.custodian for share in each.custody.shares), []).append(each)
    return rosters.values()


def _unlock(
    deployment: Deployment,
    custodians: Mapping[Address, CustodianPort],
    asking: Asking,
    snapshots: Sequence[Found],
    keys: Keys,
    category: str,
    opened: Opened,
) -> Iterator[tuple[Found, bytes, content.ContentKey]]:
    """Of snapshots of one roster those that are permitted, with their custody secrets and content keys."""
    shares = collect(deployment, custodians, asking, snapshots, keys.bits.bit_of(category), opened)
    enough = []
    for each in snapshots:
        if len(shares[each.digest]) >= each.custody.threshold:
            enough.append(each)
        elif each.digest not in opened.refused:
            raise _too_few(each, snapshots, opened)
    secret = shamir.combine_many([_first(shares[each.digest], each.custody.threshold) for each in enough])
    for each, custody_secret in zip(enough, secret, strict=True):
        manifest = each.manifest
        context = manifest.context(deployment)
        leaf_from, leaf_until = keys.deriver(category, manifest.generation).ends(manifest.period)
        key = content.derive_key(leaf_from, leaf_until, custody_secret, context)
        with blaming(each.sealed_by, CID(each.digest)):
            key.check(manifest.commitment)
        yield each, custody_secret, key


def _first(shares: Mapping[int, bytes], threshold: int) -> dict[int, bytes]:
    return {number: shares[number] for number in sorted(shares)[:threshold]}


def _too_few(snapshot: Found, snapshots: Sequence[Found], opened: Opened) -> DtledgerError:
    """Why there are not enough shares: a lie before silence, and a head that stands still before other silence."""
    faults = list(opened.faults.values())
    for each in snapshots:
        complaints = [fault for fault in faults if isinstance(fault, IntegrityError) and _is_of(fault, each)]
        if len(complaints) > len(each.custody.shares) - each.custody.threshold:  # so many show that it was sealed so
            complaints[0].party = each.sealed_by
            return complaints[0]
    for kind in (IntegrityError, HeadTooOldError):
        for fault in faults:
            if isinstance(fault, kind):
                return fault
    silent = "; ".join(f"{address}: {fault.message}" for address, fault in opened.faults.items())
    return UnreachableError(
        f"{opened.answered} of {opened.asked} custodians answered, {snapshot.custody.threshold} are needed. {silent}",
        hint="Run `dtledger doctor`, or try again when the custodians are up.",
        custodians=list(opened.faults),
    )


def _is_of(complaint: IntegrityError, snapshot: Found) -> bool:
    return complaint.block == snapshot.digest.hex() and complaint.party in ("", snapshot.sealed_by)


__all__ = ["Asking", "Opened", "custody_secrets", "open_snapshots"]

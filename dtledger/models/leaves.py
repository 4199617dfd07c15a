"""The leaves of an update: what its site says of whom it trained on, checked against what it committed to."""

from __future__ import annotations

from ..encoding import CID
from ..errors import IntegrityError
from ..ledger import Deployment, Update
from ..store import BlockStore
from ..types import Digest
from . import consents
from .opening import Opening
from .update import UpdateRecord


def record_of(deployment: Deployment, store: BlockStore, update: Update) -> UpdateRecord:
    """The site's record of an update.

    Raises:
        IntegrityError: it is not the site's, or says otherwise than the ledger.
        UnreachableError: it is not to be had.
    """
    record, signer = UpdateRecord.read(deployment, store.get(CID(update.record)))
    if signer != update.site or not record.says(update):
        raise IntegrityError("the site's record says otherwise than the ledger", party=update.site)
    return record


def leaves_of(deployment: Deployment, store: BlockStore, update: Update) -> tuple[Digest, ...]:
    """The leaves that the site's record names, which make the consent root of its update.

    Raises:
        IntegrityError: the record is not the site's, says otherwise than the ledger, or names other leaves.
        UnreachableError: record or leaves are not to be had.
    """
    record = record_of(deployment, store, update)
    leaves = consents.decode_leaves(store.get(record.leaves))
    if consents.root(leaves) != update.consents:
        raise IntegrityError("the leaves do not make the consent root", party=update.site)
    return leaves


def is_opened(deployment: Deployment, store: BlockStore, update: Update, opening: Opening) -> bool:
    """Whether an opening has the leaves of an update, each once and no others: one that has fewer hides whom the site
    trained on. Raises as `leaves_of`."""
    shown = sorted(opening.leaf(deployment, each) for each in opening.shown)
    return shown == list(leaves_of(deployment, store, update))

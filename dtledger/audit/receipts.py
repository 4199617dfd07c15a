"""Whether custodians opened, for training, the twins that a site says it trained on: their receipts beside its opening.

A receipt names twin, asker, action, purpose and time, and no model. So a twin that was read to train and is not shown
counts against the site only if it was read while the round was open, and the site had no other model under way for the
same purpose.

Warning: receipts tell of what went through the custodians, and only of what one was given: ask every custodian for all
that it has of the site. What a site had read before, for another purpose or by another door, they do not show.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..custody import AccessReceipt
from ..encoding import CID
from ..errors import CannotCheckError, IntegrityError
from ..ledger import Deployment, Model, Round, Update, View
from ..snapshots.roster import Roster
from ..store import BlockStore
from ..types import Address
from ..vocabulary import Action, Kind


def compared(
    deployment: Deployment,
    view: View,
    store: BlockStore,
    model: Model,
    number: Round,
    update: Update,
    twins: Iterable[int],
    receipts: Sequence[AccessReceipt],
) -> str:
    """The evidence that the receipts name the twins that an update's site showed.

    Raises:
        CannotCheckError: no receipt is of this site's training.
        IntegrityError: they name others, or one is not its custodian's, or of a twin whose keys it never kept.
        UnreachableError: a twin's roster is not to be had.
    """
    shown = set(twins)
    its = [each for each in receipts if each.requester == update.site and each.action is Action.TRAIN]
    read = [each for each in its if each.purpose == model.purpose and each.at <= update.at and each.permitted]
    if not its:
        raise CannotCheckError("no receipt of the site's training is at hand")
    for each in its:
        member = view.member(each.verify(deployment).custodian)
        if member is None or not member.is_a(Kind.CUSTODIAN):
            raise IntegrityError(
                f"a receipt is signed by {each.custodian}, which is no custodian", party=each.custodian
            )
    for twin in sorted(shown & {each.twin for each in read}):
        kept = _custodians(deployment, view, store, twin)
        if strange := {each.custodian for each in read if each.twin == twin} - kept:
            raise IntegrityError(f"a receipt of twin {twin} is by {min(strange)}, which never kept its keys")
    if unread := shown - {each.twin for each in read}:
        raise IntegrityError(f"shown and by no receipt read to train: twin {_listed(unread)}")
    said = f"custodians opened each of {len(shown)} twins to train"
    if unsaid := {each.twin for each in read if each.at >= number.at} - shown:
        if not _others_under_way(view, model, number, update):
            raise IntegrityError(f"read to train while the round was open, and not shown: twin {_listed(unsaid)}")
        said += f", and {len(unsaid)} more for another model or for this one: it cannot be told"
    return said


def _custodians(deployment: Deployment, view: View, store: BlockStore, twin: int) -> set[Address]:
    """Who ever kept the twin's keys."""
    rosters = {record.card.roster for record in view.cards(twin)}
    return {who for each in rosters for who in Roster.decode(deployment, store.get(CID(each))).custodians}


def _others_under_way(view: View, model: Model, number: Round, update: Update) -> bool:
    """Whether the site trained another model for the same purpose while the round was open."""
    for other in view.models():
        if other.number == model.number or other.purpose != model.purpose:
            continue
        for each in view.rounds(other.number):
            theirs = [one for one in view.updates(other.number, each.number) if one.site == update.site]
            if any(each.at <= update.at and number.at <= one.at for one in theirs):
                return True
    return False


def _listed(twins: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(twins)))

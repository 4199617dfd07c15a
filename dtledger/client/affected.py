"""Affected: which aggregates are touched by consents that were withdrawn, as a site, an auditor or an owner sees it.

Nobody sees all of it. A site knows whom it trained on itself, an auditor what was opened to it, an owner its own twin;
the ledger knows rounds alone. What nobody showed, or not by its leaves, is `unseen`, and never taken for untouched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ..encoding import CID
from ..errors import AccessDeniedError, CannotCheckError, IntegrityError
from ..ledger import Model, Receipt, Round, Update, View, calls
from ..models.leaves import is_opened
from ..models.opening import Opening
from ..models.remediation import Affected, RemediationRecord, affected_by
from ..models.standing import asked
from ..models.update import Trained, UpdateRecord
from ..models.withdrawal import Moved, Withdrawal, moved_of, withdrawal_of
from ..policy import SLOTS
from ..store import BlockMissingError
from ..types import Address
from ..vocabulary import Action
from . import turns
from .context import Context
from .training import Training, shown_again


@dataclass(frozen=True, slots=True)
class Affection:
    """The aggregates of a model that are affected, as far as is known. `unseen` are updates that nobody showed us,
    `moved` consents of twins that moved to another key: nobody withdrew them, and nobody gives them any more."""

    found: tuple[Affected, ...]
    unseen: tuple[Update, ...]
    moved: tuple[Moved, ...] = ()


def affection_of(context: Context, model: Model, openings: Sequence[Opening] = ()) -> Affection:
    """What this key knows by its own updates, and by the openings that sites made for it.

    Raises:
        CannotCheckError: as `standing.asked`.
        UnreachableError: the store does not answer.
    """
    view, training = context.view(), Training(context)
    opened = {(each.round, each.site): each for each in openings if each.model == model.number}
    withdrawals: list[Withdrawal] = []
    moved: list[Moved] = []
    unseen: list[Update] = []
    for number in view.rounds(model.number):
        for update in view.updates(model.number, number.number):
            opening = opened.get((number.number, update.site))
            if opening is not None and _is_sound(context, update, opening):
                known = [(each.trained, [proof.bit for proof in each.bits]) for each in opening.shown]
            elif update.site == context.key.address:
                known = list(_own(context, training, model, number, update))
            else:
                unseen.append(update)
                continue
            found = (withdrawal_of(view, model, number, update.site, *each) for each in known)
            withdrawals += [each for each in found if each]
            moves = (moved_of(view, model, number, update.site, *each) for each in known)
            moved += [each for each in moves if each]
    return Affection(
        tuple(affected_by(context.deployment, view, context.store, model, withdrawals)),
        tuple(unseen),
        tuple(moved),
    )


def _is_sound(context: Context, update: Update, opening: Opening) -> bool:
    """Whether an opening shows everybody behind the update's leaves; what cannot be compared shows nobody."""
    try:
        return is_opened(context.deployment, context.store, update, opening)
    except (BlockMissingError, IntegrityError):
        return False


def _own(
    context: Context, training: Training, model: Model, number: Round, update: Update
) -> Iterator[tuple[Trained, list[int]]]:
    """Whom this key trained on, with the bits of the model's categories where their packages still tell them."""
    record, _ = UpdateRecord.read(context.deployment, context.store.get(CID(update.record)))
    for each in training.notes(record).trained:
        try:
            yield each, [proof.bit for proof in shown_again(context, model, number, each).bits]
        except (AccessDeniedError, BlockMissingError, CannotCheckError, IntegrityError):
            yield each, []


def withdrawn_by_owner(
    context: Context, view: View, model: Model, number: Round, site: Address, twin: int, grantees: Collection[Address]
) -> Withdrawal | None:
    """What the twin's owner withdrew of what a round was trained under, given to one of `grantees`. A leaf does not
    tell which of several grants it was: while one of them stands, nothing is withdrawn."""
    before, owner = view.earlier(number.block), view.earlier(number.block).owner(twin)
    bits, numbers = context.key.secrets.twin(context.deployment.origin, twin).bits, list[int]()
    with suppress(CannotCheckError):  # a model of a later version's: then without its categories
        numbers += [bits.bit_of(each.name) for each in asked(model)[1]]
    given = [
        Trained(twin, grantee, slot)
        for grantee in grantees
        for slot in range(SLOTS)
        if owner and before.grant(owner, twin, grantee, slot).actions & Action.TRAIN.mask
    ]
    found = [withdrawal_of(view, model, number, site, each, numbers) for each in given]
    withdrawn = [each for each in found if each]
    return max(withdrawn, key=lambda each: each.block) if withdrawn and len(withdrawn) == len(found) else None


def remediate(
    context: Context, model: Model, first: int, retrained: bool, reason: str
) -> tuple[RemediationRecord, Receipt]:
    """Record what became of rounds `first` to the newest that is finalised. Raises as `turns.to_remediate`, and

    Raises:
        InputError: the reason cannot be used.
    """
    last = turns.to_remediate(context.view(), context.key.address, model, first, retrained)
    record = RemediationRecord(model.number, first, last, retrained, reason)
    block = context.store.put(record.sign(context.deployment, context.key), "dag-cbor").digest
    call = (calls.retrain if retrained else calls.accept)(model.number, first, block)
    return record, context.ledger.send(call, context.key)

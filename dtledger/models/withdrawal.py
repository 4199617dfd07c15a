"""Withdrawals: whether a consent that a round was trained under has been taken back since, and from which block on.

Taken back is what its owner (or the grantee) revoked, alone or with everything, or replaced by less than the model asks
for; whose site, organisation or grantee the owner blocked; or whose twin is retired, which an erasure begins with. A
grant that ran out was kept as it was given, and a consent that is given again stands. A move takes nothing back by
itself: the new owner blocks, or retires.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..ledger import Model, Round, Slot, View
from ..policy import Grant
from ..types import Address
from ..vocabulary import Action, Reason
from .update import Trained


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A consent of a round's that stands no more: whose, by whose site, why, and since which block."""

    trained: Trained
    site: Address
    round: int
    reason: Reason
    block: int


def withdrawal_of(
    view: View, model: Model, number: Round, site: Address, trained: Trained, bits: Collection[int]
) -> Withdrawal | None:
    """The withdrawal of a consent that a site trained a round under, as of `view`; None while it stands. `bits` are the
    twin's for the model's categories. What came first counts."""
    twin, grantee = trained.twin, trained.grantee
    owner = view.earlier(number.block).owner(twin)
    if owner is None:
        return None  # it never was a consent, which the audit says
    slot = Slot(owner, twin, grantee, trained.number)
    member = view.member(site)
    involved = {site, grantee} | ({member.organisation} if member and member.organisation else set())

    def lacks(grant: Grant) -> bool:
        return _lacks(grant, model, bits) is not None

    present = view.grant(owner, twin, grantee, trained.number)
    found = [
        (view.retired_since(twin), Reason.RETIRED),
        *((view.blocked_since(twin, who), Reason.BLOCKED) for who in sorted(involved)),
        (view.slot_since(slot, lacks), _lacks(present, model, bits) or Reason.REVOKED),
        (view.epoch_since(owner, twin, present.epoch) if present.given else None, Reason.REVOKED),
    ]
    since = [(block, reason) for block, reason in found if block is not None and block > number.block]
    if not since:
        return None
    block, reason = min(since)
    return Withdrawal(trained, site, number.number, reason, block)


def _lacks(grant: Grant, model: Model, bits: Collection[int]) -> Reason | None:
    """What a word lacks of what the model asks for, whatever its time."""
    if not grant.given:
        return Reason.REVOKED
    if not grant.actions & Action.TRAIN.mask:
        return Reason.ACTION
    if any(not grant.categories >> bit & 1 for bit in bits):
        return Reason.CATEGORY
    return None if grant.purposes >> model.purpose & 1 else Reason.PURPOSE

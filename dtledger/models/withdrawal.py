"""Withdrawals: whether a consent that a round was trained under has been taken back since, and from which block on.

Taken back is what its owner (or the grantee) revoked, alone or with everything, or replaced by less than the model asks
for; whose site, organisation or grantee the owner blocked; or whose twin is retired, which an erasure begins with. A
grant that ran out was kept as it was given, and a consent that is given again stands.

A move takes nothing back: nobody decided that, and mostly it is one person with another key. But the consent was the
former key's, so it permits nothing any more, and the new owner has no slot of it to revoke. That is told as a kind of
its own, `Moved`, until the new owner decides: gives consent anew, revokes it, if only in an empty slot, blocks the
site, or retires.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..ledger import GrantRecord, Model, Round, Slot, View
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


@dataclass(frozen=True, slots=True)
class Moved:
    """A consent of a round's whose twin moved to another key, in that block, whose owner neither gave such a consent
    nor took it back."""

    trained: Trained
    site: Address
    round: int
    block: int


def moved_of(
    view: View, model: Model, number: Round, site: Address, trained: Trained, bits: Collection[int]
) -> Moved | None:
    """The move that a consent of a round's did not come along with; None if there was none, the new owner gave it
    anew, or it was withdrawn. As `withdrawal_of`."""
    before, owner = view.earlier(number.block).owner(trained.twin), view.owner(trained.twin)
    since = view.owner_since(trained.twin)
    if before is None or owner == before or since is None:
        return None
    if withdrawal_of(view, model, number, site, trained, bits) or _given_anew(view, model, site, trained, bits):
        return None
    return Moved(trained, site, number.number, since)


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
    involved = _involved(view, site, trained)

    def lacks(grant: Grant) -> bool:
        return _lacks(grant, model, bits) is not None

    present = view.grant(owner, twin, grantee, trained.number)
    found = [
        (view.retired_since(twin), Reason.RETIRED),
        *((view.blocked_since(twin, who), Reason.BLOCKED) for who in sorted(involved)),
        (view.slot_since(slot, lacks), _lacks(present, model, bits) or Reason.REVOKED),
        (view.epoch_since(owner, twin, present.epoch) if present.given else None, Reason.REVOKED),
        (_revoked_anew(view, model, site, trained, bits, owner), Reason.REVOKED),
    ]
    since = [(block, reason) for block, reason in found if block is not None and block > number.block]
    if not since:
        return None
    block, reason = min(since)
    return Withdrawal(trained, site, number.number, reason, block)


def _involved(view: View, site: Address, trained: Trained) -> set[Address]:
    member = view.member(site)
    return {site, trained.grantee} | ({member.organisation} if member and member.organisation else set())


def _slots_now(view: View, site: Address, trained: Trained) -> list[GrantRecord]:
    """What the twin's present owner wrote for those involved, and did not end with everything."""
    twin, owner = trained.twin, view.owner(trained.twin)
    if owner is None:
        return []
    records = (record for each in sorted(_involved(view, site, trained)) for record in view.slots_of(owner, twin, each))
    return [each for each in records if not each.grant.given or each.grant.epoch == view.epoch(owner, twin)]


def _given_anew(view: View, model: Model, site: Address, trained: Trained, bits: Collection[int]) -> bool:
    return any(_lacks(each.grant, model, bits) is None for each in _slots_now(view, site, trained))


def _revoked_anew(
    view: View, model: Model, site: Address, trained: Trained, bits: Collection[int], former: Address
) -> int | None:
    """Since when another owner than the former says that it is not given, if they do."""
    since, slots = view.owner_since(trained.twin), _slots_now(view, site, trained)
    revoked = [each for each in slots if not each.grant.given]
    if view.owner(trained.twin) == former or since is None or not revoked:
        return None
    if _given_anew(view, model, site, trained, bits):
        return None
    return max(since, min(each.block for each in revoked))


def _lacks(grant: Grant, model: Model, bits: Collection[int]) -> Reason | None:
    """What a word lacks of what the model asks for, whatever its time."""
    if not grant.given:
        return Reason.REVOKED
    if not grant.actions & Action.TRAIN.mask:
        return Reason.ACTION
    if any(not grant.categories >> bit & 1 for bit in bits):
        return Reason.CATEGORY
    return None if grant.purposes >> model.purpose & 1 else Reason.PURPOSE

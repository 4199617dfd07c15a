"""What stood when a batch was anchored: who had the right to write, and which rosters were in force."""

from __future__ import annotations

from itertools import pairwise

from ..ledger import Batch, View
from ..ledger.records import CardRecord
from ..policy import Request, check
from ..types import Address, Period
from ..vocabulary import Action

DAY = 86_400


def might_write(view: View, twin: int, writer: Address, batch: Batch, bit: int | None, period: Period | None) -> bool:
    """Was the writer the owner when it anchored, or held WRITE for this category and period (for any, if None)? While
    the owner had no card, nobody might."""
    then = view.earlier(batch.block)
    owner = then.owner(twin)
    if owner is None or then.card(twin) is None:
        return False
    if owner == writer:
        return True
    member = then.member(writer)
    grantees = [writer] + ([member.organisation] if member and member.organisation else [])
    for grantee in grantees:
        for record in then.slots_of(owner, twin, grantee):
            data = period or record.grant.data
            asked = max(record.grant.categories.bit_length() - 1, 0) if bit is None else bit
            request = Request(twin, writer, grantee, record.slot.number, Action.WRITE, None, asked, data)
            if check(then, request, batch.at, batch.at).permits:
                return True
    return False


def card_of_roster(view: View, twin: int, version: int, batch: Batch, *, by_owner: bool) -> CardRecord | None:
    """The card whose roster of that version counts for a custody block: the one that stood when the batch was anchored;
    the same owner's roster before that, if replaced less than a day earlier; today's, if the owner signed."""
    cards = view.cards(twin)
    standing = [record for record in cards if record.block <= batch.block]
    allowed = standing[-1:] + (cards[-1:] if by_owner else [])
    for before, after in reversed(list(pairwise(standing))):
        if (before.card.roster, before.owner) != (after.card.roster, after.owner):
            if before.owner == after.owner and batch.at - after.at < DAY:
                allowed.append(before)
            break
    return next((record for record in allowed if record.card.roster_version == version), None)

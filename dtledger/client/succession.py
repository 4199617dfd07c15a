"""Carrying a twin over to the deployment that comes after the one where it lives.

One signature of its owner's names the contract that it goes to and each grant that goes with it, word and package.
Everything else comes by itself: number, card and guardians, and who is blocked. Members, snapshots and models are the
same for both deployments, so nothing that was written is touched: a stream goes on where it stands, and what is sealed
opens there as it did here. Requests for consent, openings of emergencies and receipts stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ..errors import InputError
from ..ledger import Call, GrantRecord, Receipt, View, calls, messages
from ..ledger.signed import CarriedGrant, SignedCarrying
from ..types import Address
from .carrying import Carrier
from .context import Context

MOST_GRANTS = 400
"""In one transaction: they take 13,000,000 gas."""


class Stays(Enum):
    """Why a grant does not come along."""

    EXPIRED = "it has expired"
    BLOCKED = "its grantee is blocked"
    TOO_MANY = f"over {MOST_GRANTS} do not fit into one transaction"


@dataclass(frozen=True, slots=True)
class Luggage:
    """What comes along with a twin, and the grants that do not and would else be in force."""

    twin: int
    grants: tuple[GrantRecord, ...]
    blocked: tuple[Address, ...]
    left: tuple[tuple[GrantRecord, Stays], ...]
    writers: tuple[Address, ...]
    """Whose streams go on; not what is signed."""


class Succession:
    """Carries this key's twins over."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def luggage(self, twin: int, to: Context) -> Luggage:
        """What `carry` would bring to the deployment of `to`.

        Raises:
            AccessDeniedError: this key does not own the twin.
            InputError: that deployment does not come after this one, or the twin cannot leave now.
        """
        context = self._context
        view, now = context.view(), context.now().latest
        self._require_ready(twin, view, to, now)
        owner = context.key.address
        standing = [
            record
            for record in view.records(owner, twin)
            if record.grant.given and record.grant.epoch == view.epoch(owner, twin)
        ]
        standing.sort(key=lambda record: record.block, reverse=True)
        left = {record.slot: why for record in standing if (why := _stays(record, view, now))}
        going = [record for record in standing if record.slot not in left]
        left |= {record.slot: Stays.TOO_MANY for record in going[MOST_GRANTS:]}
        return Luggage(
            twin,
            tuple(going[:MOST_GRANTS]),
            tuple(sorted(view.blocked_on(twin))),
            tuple((record, left[record.slot]) for record in standing if record.slot in left),
            tuple(view.writers(twin)),
        )

    def carry(self, luggage: Luggage, to: Context) -> Receipt:
        """Sign, and bring the twin over by the hand of `to`: from the key's account, or by a relay of that profile.

        Raises:
            AccessDeniedError, InputError: as `luggage`; or a denial of this key's may still land here.
            LedgerRejection: the contracts refuse it; nothing has changed.
            UnreachableError: ledger or relays do not answer; ask anew, for it may have landed.
        """
        context = self._context
        self._require_ready(luggage.twin, context.view(), to, context.now().latest)
        if isinstance(context.carry, Carrier):
            context.carry.require_landed(context, luggage.twin)
        return to.send(self._signed(luggage, to))

    def _signed(self, luggage: Luggage, to: Context) -> Call:
        context = self._context
        counter, deadline = context.view().counter(luggage.twin), context.deadline()
        message = SignedCarrying(luggage.twin, tuple(_carried(luggage.grants)), counter, deadline)
        successor, grants = to.deployment.contracts["ConsentRegistry"], messages.carried(message.grants)
        digest = messages.depart(context.deployment, luggage.twin, successor, grants, counter, deadline)
        return calls.carry(message, luggage.blocked, context.key.sign_digest(digest))

    def _require_ready(self, twin: int, view: View, to: Context, now: int) -> None:
        context = self._context
        before = to.deployment.predecessor
        if before is None or before.id != context.deployment.id:
            raise InputError(
                f"The deployment {to.deployment.id} does not come after this one, {context.deployment.id}.",
                hint="Ask its operator which profile to carry to: its deployment.json names its predecessor.",
            )
        context.require_owner(twin, view)
        if view.successor(twin) is not None:
            raise InputError(f"Twin {twin} has left this deployment already.", hint="Use the profile that it left for.")
        if view.retired(twin):
            raise InputError(
                f"Twin {twin} is to be retired, and does not leave.", hint="`dtledger twin erase --cancel` first."
            )
        if view.state(twin).is_frozen(now):
            raise InputError(
                f"Twin {twin} is frozen, and does not leave.",
                hint="Its guardians can end that: `dtledger twin unfreeze`.",
            )


def _stays(record: GrantRecord, view: View, now: int) -> Stays | None:
    if record.grant.expires_at <= now:
        return Stays.EXPIRED
    return Stays.BLOCKED if view.blocked(record.slot.twin, record.slot.grantee) else None


def _carried(records: Iterable[GrantRecord]) -> Iterable[CarriedGrant]:
    return (CarriedGrant(each.slot.grantee, each.slot.number, each.grant, each.package) for each in records)

"""The inbox: what an owner should know of a twin, and decide upon, without being asked.

All of it is looked up anew each time, from the ledger, the custodians and the own key: nothing is kept, so nothing is
read or unread. What cannot be looked at is an item too, and never silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from ..errors import DtledgerError, IntegrityError
from ..ledger import TwinState
from ..types import Address
from ..vocabulary import Action
from .consents import Consents
from .context import Context
from .custody_state import CustodyState
from .emergencies import Emergencies, ReviewState
from .terms import GrantState
from .twins import Twins

ENDING_SECONDS = 7 * 86_400
"""A grant to read that ends within this is told, and one to write within `WRITE_ENDING_SECONDS`."""

WRITE_ENDING_SECONDS = 30 * 86_400

OPENINGS_SECONDS = 30 * 86_400
"""Emergencies are told for so long after they were opened, and until they were reviewed."""


class ItemKind(Enum):
    """What an item is about. The first ones are urgent: somebody acts upon the twin."""

    MOVE = "move announced by guardians"
    FREEZE = "frozen by guardians"
    RETIREMENT = "retirement announced"
    OPENING = "emergency opened"
    RECEIPTS = "a custodian's list is broken"
    REQUEST = "consent asked for"
    OVERDUE = "review overdue"
    ENDING = "grant ends"
    RESHARE = "custody to be shared anew"
    RECOVERY = "the recovery package is behind"
    BACKUP = "no backup holds all"
    UNKNOWN = "could not be looked at"

    @property
    def urgent(self) -> bool:
        return self in (ItemKind.MOVE, ItemKind.FREEZE, ItemKind.RETIREMENT, ItemKind.OPENING, ItemKind.RECEIPTS)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to know. `at` is when it happened or will, in unix seconds; `party` who is concerned; `about` what it
    is of: an `AnnouncedMove`, a `TwinState`, a `Told`, a `ConsentRequest`, a `GrantRecord`, a `RecoveryState`, or an
    error."""

    kind: ItemKind
    twin: int
    at: int | None = None
    party: Address | None = None
    about: object = None


class Inbox:
    """Looks for one owner."""

    def __init__(
        self, context: Context, twins: Twins, consents: Consents, emergencies: Emergencies, custody: CustodyState
    ) -> None:
        self._context = context
        self._twins = twins
        self._consents = consents
        self._emergencies = emergencies
        self._custody = custody

    def look(self, twin: int) -> list[Item]:
        """What there is, the urgent first.

        Raises:
            AccessDeniedError: this key does not own the twin.
            UnreachableError: the ledger does not answer.
        """
        context = self._context
        view, now = context.view(), context.clock()
        context.require_owner(twin, view)
        items = list(_of_state(twin, view.state(twin), now))
        items += self._openings(twin, now)
        for part in (self._receipts, self._requests, self._custody_items, self._recovery):
            items += self._tried(part, twin)
        items += self._ending(twin, now)
        if context.key.secrets.backed_up_at is None:
            items.append(Item(ItemKind.BACKUP, twin))
        return sorted(items, key=lambda each: list(ItemKind).index(each.kind))

    def _tried(self, part: Callable[[int], Iterable[Item]], twin: int) -> list[Item]:
        try:
            return list(part(twin))
        except DtledgerError as error:
            return [Item(ItemKind.UNKNOWN, twin, about=error)]

    def _openings(self, twin: int, now: int) -> Iterator[Item]:
        for told in self._emergencies.openings(twin):
            opening = told.opening
            if opening.slot.owner != self._context.key.address:
                continue
            if told.state is ReviewState.OVERDUE:
                yield Item(ItemKind.OVERDUE, twin, opening.review_by, opening.opener, told)
            elif told.review is None or now - opening.at < OPENINGS_SECONDS:
                yield Item(ItemKind.OPENING, twin, opening.at, opening.opener, told)

    def _receipts(self, twin: int) -> Iterator[Item]:
        for custodian, fault in self._twins.who_looked(twin).faults.items():
            kind = ItemKind.RECEIPTS if isinstance(fault, IntegrityError) else ItemKind.UNKNOWN
            yield Item(kind, twin, party=custodian, about=fault)

    def _requests(self, twin: int) -> Iterator[Item]:
        for each in self._consents.pending(twin):
            yield Item(ItemKind.REQUEST, twin, each.at, each.member, each)

    def _custody_items(self, twin: int) -> Iterator[Item]:
        if self._context.view().card(twin) is None:
            return
        gone, lost = self._custody.gone(twin), self._custody.lost(twin)
        for custodian in dict.fromkeys([*gone, *lost]):
            yield Item(ItemKind.RESHARE, twin, party=custodian)
        if self._custody.is_behind(twin):
            yield Item(ItemKind.RESHARE, twin)

    def _recovery(self, twin: int) -> Iterator[Item]:
        package = self._twins.recovery(twin)
        if package is not None and package.behind:
            yield Item(ItemKind.RECOVERY, twin, about=package)

    def _ending(self, twin: int, now: int) -> Iterator[Item]:
        for record in self._consents.records(twin):
            ends = record.grant.expires_at
            notice = WRITE_ENDING_SECONDS if record.grant.actions & Action.WRITE.mask else ENDING_SECONDS
            if self._consents.state(record) is GrantState.LIVE and ends - now < notice:
                yield Item(ItemKind.ENDING, twin, ends, record.slot.grantee, record)


def _of_state(twin: int, state: TwinState, now: int) -> Iterator[Item]:
    if state.move is not None:
        yield Item(ItemKind.MOVE, twin, state.move.ready_at, state.move.to, state.move)
    if state.is_frozen(now):
        yield Item(ItemKind.FREEZE, twin, state.frozen_until, about=state)
    if state.retire_at:
        yield Item(ItemKind.RETIREMENT, twin, state.retire_at, about=state)

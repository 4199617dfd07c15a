"""Reading: one door for everything that leaves a twin.

The grant that gets furthest is chosen, judged by the rule on the state of the ledger, and then the custodians judge
it again. Readings come back checked: anchored, signed, in their order, under a roster of the owner's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, overload

from ..custody import AccessReceipt
from ..errors import AccessDeniedError, DtledgerError
from ..ledger import GrantRecord, View
from ..policy import Request, check
from ..readings import decode_readings
from ..snapshots.finder import Finder, Found
from ..snapshots.opening import Asking, Opened, open_snapshots
from ..snapshots.package import Keys
from ..types import MAX_MINUTE, ZERO_DIGEST, Address, Period
from ..vocabulary import Action, Purpose, Reason, unit
from .context import Context
from .keyrings import granted_keys, owner_keys

if TYPE_CHECKING:
    import pandas

STALE_AFTER = 2 * 3600
"""Seconds after which the newest reading of a twin is called STALE."""


@dataclass(frozen=True, slots=True)
class TwinReading:
    """One value of a twin. `at` is aware, in the source's own offset where it is known; `snapshot` is the digest of
    the manifest that it came in; `late` if that was anchored over a day after its data ended."""

    at: datetime
    value: float
    unit: str
    quality: str
    snapshot: str
    late: bool = False


class Readings(Sequence[TwinReading]):
    """Readings in the order of their time. `age` is the seconds from the newest anchored reading until now, None if
    there is none; `receipts` are the custodians', `refused` the periods that stay shut (with `partial`)."""

    def __init__(
        self,
        values: Sequence[TwinReading],
        *,
        age: int | None,
        snapshots: int = 0,
        receipts: Sequence[AccessReceipt] = (),
        refused: Sequence[tuple[Period, Reason]] = (),
        faults: Mapping[Address, DtledgerError] | None = None,
        asked: int = 0,
        answered: int = 0,
        uncounted: int = 0,
    ) -> None:
        self._values = tuple(values)
        self.age = age
        self.snapshots = snapshots
        self.receipts = tuple(receipts)
        self.refused = tuple(refused)
        self.faults = dict(faults or {})
        self.asked = asked
        self.answered = answered
        self.uncounted = uncounted

    @property
    def stale(self) -> bool:
        return self.age is None or self.age > STALE_AFTER

    @overload
    def __getitem__(self, place: int) -> TwinReading: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[TwinReading, ...]: ...
    def __getitem__(self, place: int | slice) -> TwinReading | tuple[TwinReading, ...]:
        return self._values[place]

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<{len(self)} readings from {self.snapshots} snapshots>"

    def to_pandas(self) -> pandas.DataFrame:
        """A DataFrame with one row a reading, indexed by UTC time. Needs pandas, which dtledger does not install."""
        import pandas

        index = pandas.DatetimeIndex([pandas.Timestamp(each.at).tz_convert("UTC") for each in self], name="at")
        columns = ("value", "unit", "quality", "snapshot")
        return pandas.DataFrame({name: [getattr(each, name) for each in self] for name in columns}, index=index)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rule says of a request, and on which grant: the one that gets furthest."""

    reason: Reason
    twin: int
    requester: Address
    action: Action
    purpose: Purpose
    category: str
    period: Period
    record: GrantRecord | None = None

    @property
    def permits(self) -> bool:
        return self.reason.permits


@dataclass(frozen=True, slots=True)
class _Door:
    """A way in: the keys, and under which grant they may be used."""

    keys: Keys
    grantee: Address
    number: int
    record: GrantRecord | None


@dataclass(slots=True)
class _Collected:
    values: list[TwinReading] = field(default_factory=list)
    opened: list[Opened] = field(default_factory=list)
    refused: list[tuple[Period, Reason]] = field(default_factory=list)
    snapshots: int = 0
    uncounted: int = 0
    newest: int | None = None


class Reader:
    """Reads twins as this key may."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def explain(
        self, twin: int, category: str, purpose: Purpose, period: Period, action: Action = Action.READ
    ) -> Decision:
        """What the rule says now if this key asked, and of which grant. Nobody else is asked."""
        context = self._context
        return self._decide(context.view(), self._doors(twin), twin, category, purpose, period, action)[0]

    def read(
        self,
        twin: int,
        category: str,
        purpose: Purpose,
        period: Period | None = None,
        *,
        action: Action = Action.READ,
        partial: bool = False,
        to_unit: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Readings:
        """Decrypted, verified readings of a category whose minute lies in `period` (all of it, if none).

        Args:
            partial: give what is permitted instead of refusing all.
            to_unit: a UCUM code to convert values into.
            progress: told snapshots opened and snapshots in all.

        Raises:
            AccessDeniedError: not permitted; `.reason`, `.evidence["refused"]` (periods with reasons) and
                `.evidence["permitted"]` (the largest permitted period) say more.
            IntegrityError: a block, signature, share or sequence is wrong; `.block` and `.party` name it.
            UnreachableError: ledger, store or too many custodians do not answer.
        """
        context = self._context
        view = context.view()
        doors = self._doors(twin)
        wanted = period or Period(0, MAX_MINUTE)
        door = self._choose(view, doors, twin, category, purpose, wanted, action)
        finder = Finder(context.deployment, view, context.store, twin, door.keys)
        periods = list(finder.periods(category, wanted))
        refused = self._refuse(view, door, twin, category, purpose, action, periods, partial=partial)
        collected = _Collected(refused=refused)
        shut = {each for each, _ in refused}
        for group in finder.find(category, wanted):
            self._open(view, door, category, purpose, action, group, shut, collected)
            if progress:
                progress(collected.snapshots, len(periods))
        return self._result(collected, wanted, finder.newest_minute(category), to_unit, partial=partial)

    # which grant ---------------------------------------------------------------------------------------------

    def _doors(self, twin: int) -> list[_Door]:
        """Ownership, or each grant of mine or my organisation's whose package I can open."""
        context = self._context
        view, me = context.view(), context.key.address
        owner = view.owner(twin)
        if owner is None:
            return []
        if owner == me:
            secrets = context.key.secrets.twin(context.deployment.id, twin)
            return [_Door(owner_keys(secrets), me, 0, None)]
        member = view.member(me)
        grantees = [me] + ([member.organisation] if member and member.organisation else [])
        records = (record for grantee in grantees for record in view.slots_of(owner, twin, grantee))
        return [
            _Door(granted_keys(context, record), record.slot.grantee, record.slot.number, record)
            for record in records
            if record.grant.given and record.package != ZERO_DIGEST
        ]

    def _question(
        self, door: _Door, twin: int, category: str, purpose: Purpose, period: Period, action: Action
    ) -> Request:
        bit = door.keys.bits.bit_of(category)
        return Request(twin, self._context.key.address, door.grantee, door.number, action, purpose, bit, period)

    def _judge(self, view: View, request: Request) -> Reason:
        head, clock = self._context.ledger.head().at, self._context.clock()
        return check(view, request, min(head, clock), max(head, clock))

    def _decide(
        self,
        view: View,
        doors: list[_Door],
        twin: int,
        category: str,
        purpose: Purpose,
        period: Period,
        action: Action,
    ) -> tuple[Decision, _Door | None]:
        """The grant that gets furthest, and how far. Without any, the rule is asked for a slot of mine, empty or
        revoked, since its answer then does not depend on the category."""
        me = self._context.key.address
        best: tuple[Reason, _Door | None] = (self._without_door(view, twin, purpose, action), None)
        for door in doors:
            try:
                reason = self._judge(view, self._question(door, twin, category, purpose, period, action))
            except AccessDeniedError:
                reason = Reason.CATEGORY
            if reason.permits or (not best[0].permits and reason >= best[0]):
                best = (reason, door)
            if reason.permits:
                break
        record = best[1].record if best[1] else None
        return Decision(best[0], twin, me, action, purpose, category, period, record), best[1]

    def _without_door(self, view: View, twin: int, purpose: Purpose, action: Action) -> Reason:
        me = self._context.key.address
        member, owner = view.member(me), view.owner(twin)
        grantees = [me] + ([member.organisation] if member and member.organisation else [])
        slots = [record.slot for each in grantees for record in view.slots_of(owner, twin, each)] if owner else []
        requests = [Request(twin, me, slot.grantee, slot.number, action, purpose, 0, Period(0, 0)) for slot in slots]
        requests = requests or [Request(twin, me, me, 0, action, purpose, 0, Period(0, 0))]
        return max(
            (reason for each in requests if not (reason := self._judge(view, each)).permits), default=Reason.NO_GRANT
        )

    def _choose(
        self,
        view: View,
        doors: list[_Door],
        twin: int,
        category: str,
        purpose: Purpose,
        wanted: Period,
        action: Action,
    ) -> _Door:
        """The door to go through; a period that is not wholly granted is settled later, snapshot by snapshot."""
        decision, door = self._decide(view, doors, twin, category, purpose, wanted, action)
        if door is None or not (decision.permits or decision.reason is Reason.PERIOD):
            raise denied(decision.reason, twin, category, [(wanted, decision.reason)], None)
        return door

    def _refuse(
        self,
        view: View,
        door: _Door,
        twin: int,
        category: str,
        purpose: Purpose,
        action: Action,
        periods: list[Period],
        *,
        partial: bool,
    ) -> list[tuple[Period, Reason]]:
        """The periods that the rule refuses; unless `partial`, any of them refuses the whole."""
        reasons = {
            each: self._judge(view, self._question(door, twin, category, purpose, each, action))
            for each in set(periods)
        }
        refused = sorted((each, reason) for each, reason in reasons.items() if not reason.permits)
        permitted = [each for each in periods if reasons[each].permits]
        if refused and (not partial or not permitted):
            largest = Period(min(permitted).start, max(each.end for each in permitted)) if permitted else None
            raise denied(refused[0][1], twin, category, refused, largest)
        return refused

    # through it ----------------------------------------------------------------------------------------------

    def _open(
        self,
        view: View,
        door: _Door,
        category: str,
        purpose: Purpose,
        action: Action,
        group: list[Found],
        shut: set[Period],
        collected: _Collected,
    ) -> None:
        counted = [each for each in group if each.counts]
        collected.uncounted += len(group) - len(counted)
        asked = [each for each in counted if each.manifest.period not in shut]
        if not asked:
            return
        context = self._context
        asking = Asking(context.key, door.grantee, door.number, action, purpose, context.clock())
        opened = open_snapshots(context.deployment, context.custodians, asking, asked, door.keys, category)
        collected.opened.append(opened)
        by_digest = {each.digest: each for each in asked}
        collected.refused += [(by_digest[digest].manifest.period, reason) for digest, reason in opened.refused.items()]
        for digest, plaintext in opened.plaintexts.items():
            collected.snapshots += 1
            collected.values += _values(by_digest[digest], category, plaintext)

    def _result(
        self, collected: _Collected, wanted: Period, newest: int | None, to_unit: str | None, *, partial: bool
    ) -> Readings:
        refused = collected.refused
        if refused and (not partial or not collected.snapshots):
            raise AccessDeniedError(
                f"The custodians refuse {len(refused)} snapshots: {refused[0][1].text} ({refused[0][1].name}).",
                reason=refused[0][1],
                refused=refused,
            )
        inside = {each for each in collected.values if wanted.start <= each.at.timestamp() // 60 <= wanted.end}
        values = sorted(inside, key=lambda each: (each.at, each.unit, each.value, each.snapshot))
        values = _without_repeats(values)
        if to_unit:
            values = [_converted(each, to_unit) for each in values]
        faults = {party: fault for opened in collected.opened for party, fault in opened.faults.items()}
        return Readings(
            values,
            age=None if newest is None else max(0, self._context.clock() - newest * 60),
            snapshots=collected.snapshots,
            receipts=[receipt for opened in collected.opened for receipt in opened.receipts],
            refused=refused,
            faults=faults,
            asked=max((opened.asked for opened in collected.opened), default=0),
            answered=min((opened.answered for opened in collected.opened), default=0),
            uncounted=collected.uncounted,
        )


def denied(
    reason: Reason,
    twin: int,
    category: str,
    refused: Sequence[tuple[Period, Reason]],
    permitted: Period | None,
) -> AccessDeniedError:
    """The refusal of a read, with what was refused and what would be permitted."""
    hint = {
        Reason.PERIOD: "Ask for less (--since, --until), or for what is permitted with --partial.",
        Reason.NOT_ENROLLED: "Ask a registrar to enrol you: `dtledger member card` makes what it needs.",
    }.get(reason, "Ask the patient for a grant that covers it.")
    return AccessDeniedError(
        f"Reading {category} of twin {twin} is refused: {reason.text} ({reason.name}).",
        reason=reason,
        hint=hint,
        refused=list(refused),
        permitted=permitted,
    )


def _values(found: Found, category: str, plaintext: bytes) -> Iterator[TwinReading]:
    content = decode_readings(plaintext)
    if content.category != category:
        raise denied(Reason.CATEGORY, found.manifest.twin, category, [], None)
    digest = found.digest.hex()
    for each in content.readings:
        yield TwinReading(each.at, each.value, each.unit, each.quality, digest, found.late)


def _without_repeats(values: Sequence[TwinReading]) -> list[TwinReading]:
    """One of each (time, value, unit), whatever snapshots it stands in."""
    seen: dict[tuple[float, float, str], TwinReading] = {}
    for each in values:
        seen.setdefault((each.at.timestamp(), each.value, each.unit), each)
    return list(seen.values())


def _converted(each: TwinReading, to_unit: str) -> TwinReading:
    target = unit(to_unit)
    value = unit(each.unit).convert(each.value, target)
    return TwinReading(each.at, value, target.code, each.quality, each.snapshot, each.late)


__all__ = ["Decision", "Reader", "Readings", "TwinReading", "denied"]

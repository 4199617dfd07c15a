"""Reading: one door for everything that leaves a twin.

The grant that gets furthest is chosen, judged by the rule on the state of the ledger, and then the custodians judge
it again. Readings come back checked: anchored, signed, in their order, under a roster of the owner's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from .. import vocabulary
from ..errors import AccessDeniedError, DtledgerError, InputError, IntegrityError, UnreachableError
from ..ledger import View
from ..readings import decode_readings
from ..snapshots.finder import Finder, Found
from ..snapshots.opening import Asking, Opened, open_snapshots
from ..snapshots.package import NO_KEYS
from ..types import MAX_MINUTE, ZERO_DIGEST, Period
from ..vocabulary import Action, Purpose, Reason, Unit, unit
from .context import Context
from .deciding import Decision, Door, Now, Question, decide, grantees_of, judge
from .keyrings import granted_keys, owner_keys
from .readings import Readings, TwinReading


@dataclass(frozen=True, slots=True)
class _Way:
    """The door that was chosen, and the data periods that the rule shuts behind it."""

    door: Door
    question: Question
    shut: dict[Period, Reason]


@dataclass(slots=True)
class _Collected:
    values: list[TwinReading] = field(default_factory=list)
    opened: list[Opened] = field(default_factory=list)
    refused: list[tuple[Period, Reason]] = field(default_factory=list)
    snapshots: int = 0
    uncounted: int = 0


class Reader:
    """Reads twins as this key may."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def explain(
        self, twin: int, category: str, purpose: Purpose | None, period: Period, action: Action = Action.READ
    ) -> Decision:
        """What the rule says now if this key asked, and of which grant. Nobody else is asked.

        Raises:
            InputError: reading or training without a purpose, or writing with one.
        """
        view = self._context.view()
        question = Question(twin, self._context.key.address, action, purpose, category, period)
        return self._decide(view, question, Now.of(self._context))[0]

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
            InputError: the unit is none of the category's.
            IntegrityError: a block, signature, share or sequence is wrong; `.block` and `.party` name it.
            UnreachableError: ledger, store or too many custodians do not answer.
        """
        context = self._context
        view = context.view()
        target = _unit_for(category, to_unit) if to_unit else None
        wanted = period or Period(0, MAX_MINUTE)
        question = Question(twin, context.key.address, action, purpose, category, wanted)
        now = Now.of(context)
        decision, doors = self._decide(view, question, now)
        if not doors:
            raise denied(decision.reason, twin, category, [(wanted, decision.reason)], None)
        finder = Finder(context.deployment, view, context.store, twin, doors[0].keys or NO_KEYS)
        periods = list(finder.periods(category, wanted))
        way = _choose(view, doors, question, periods, now, partial=partial)
        collected = _Collected(refused=sorted(way.shut.items()))
        for group in finder.find(category, wanted):
            self._open(way, group, collected)
            if progress:
                progress(collected.snapshots, len(periods))
        return self._result(collected, wanted, finder.newest_minute(category), target, partial=partial)

    def doors(self, view: View, twin: int) -> tuple[list[Door], list[DtledgerError]]:
        """Ownership, or each grant of mine or my organisation's; and why a package could not be opened."""
        context, me = self._context, self._context.key.address
        owner = view.owner(twin)
        if owner == me:
            keys = owner_keys(context.key.secrets.twin(context.deployment.id, twin))
            return [Door(keys.bits, me, 0, None, keys)], []
        found: list[Door] = []
        faults: list[DtledgerError] = []
        for grantee in grantees_of(view, me) if owner else []:
            for record in view.slots_of(owner, twin, grantee):  # type: ignore[arg-type]
                if not record.grant.given or record.package == ZERO_DIGEST:
                    continue
                try:
                    keys = granted_keys(context, record)
                except (IntegrityError, UnreachableError) as error:
                    error.hint = error.hint or "Ask the owner to seal the grant anew: `dtledger consent reseal`."
                    faults.append(error)
                else:
                    found.append(Door(keys.bits, grantee, record.slot.number, record, keys))
        return found, faults

    def _decide(self, view: View, question: Question, now: Now) -> tuple[Decision, list[Door]]:
        """The decision on the door that gets furthest, and the doors to go through. A period that is not wholly granted
        is settled later, snapshot by snapshot."""
        doors, faults = self.doors(view, question.twin)
        decision, best = decide(view, doors, question, now)
        ways = [best] if decision.permits and best is not None else []
        if decision.reason is Reason.PERIOD:
            ways = [each for each in doors if _is_shut_for_period(view, each, question, now)]
        if faults and not ways and decision.reason >= Reason.NO_GRANT:
            raise faults[0]
        return decision, ways

    def _open(self, way: _Way, group: list[Found], collected: _Collected) -> None:
        counted = [each for each in group if each.counts]
        collected.uncounted += len(group) - len(counted)
        asked = [each for each in counted if each.manifest.period not in way.shut]
        if not asked:
            return
        context, door, question = self._context, way.door, way.question
        assert question.purpose is not None
        assert door.keys is not None
        asking = Asking(context.key, door.grantee, door.number, question.action, question.purpose, context.clock())
        opened = open_snapshots(context.deployment, context.custodians, asking, asked, door.keys, question.category)
        collected.opened.append(opened)
        by_digest = {each.digest: each for each in asked}
        collected.refused += [(by_digest[digest].manifest.period, reason) for digest, reason in opened.refused.items()]
        for digest, plaintext in opened.plaintexts.items():
            collected.snapshots += 1
            collected.values += _values(by_digest[digest], question.category, plaintext)

    def _result(
        self, collected: _Collected, wanted: Period, newest: int | None, target: Unit | None, *, partial: bool
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
        if target:
            values = [_converted(each, target) for each in values]
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


def _is_shut_for_period(view: View, door: Door, question: Question, now: Now) -> bool:
    """Whether the rule minds nothing but the period."""
    try:
        return judge(view, door, question, question.period, now) is Reason.PERIOD
    except AccessDeniedError:
        return False


def _choose(
    view: View, doors: Sequence[Door], question: Question, periods: Sequence[Period], now: Now, *, partial: bool
) -> _Way:
    """The door behind which the rule shuts the least; unless `partial`, any refusal refuses the whole."""
    ways = []
    for door in doors:
        reasons = {each: judge(view, door, question, each, now) for each in set(periods)}
        ways.append(_Way(door, question, {each: why for each, why in reasons.items() if not why.permits}))
    way = min(ways, key=lambda each: len(each.shut))
    permitted = [each for each in periods if each not in way.shut]
    if way.shut and (not partial or not permitted):
        refused = sorted(way.shut.items())
        largest = Period(min(permitted).start, max(each.end for each in permitted)) if permitted else None
        raise denied(refused[0][1], question.twin, question.category, refused, largest)
    return way


def denied(
    reason: Reason,
    twin: int,
    category: str,
    refused: Sequence[tuple[Period, Reason]],
    permitted: Period | None,
) -> AccessDeniedError:
    """The refusal of a read, with what was refused and what would be permitted."""
    hint = {
        Reason.TWIN_UNKNOWN: "Look at its number: `dtledger twin list`.",
        Reason.RETIRED: "Nothing can be read of it unless its owner cancels that while it is not final.",
        Reason.NOT_ENROLLED: "Ask a registrar to enrol you: `dtledger member card` makes what it needs.",
        Reason.SUSPENDED: "Ask whoever governs the registry: `dtledger member show` says who is suspended.",
        Reason.BLOCKED: "Only the patient can lift the block.",
        Reason.PERIOD: "Ask for less (--since, --until), or for what is permitted with --partial.",
        Reason.KIND: "Ask a registrar for the kind that the action needs.",
    }.get(reason, "Ask the patient for a grant that covers it.")
    return AccessDeniedError(
        f"Reading {category} of twin {twin} is refused: {reason.text} ({reason.name}).",
        reason=reason,
        hint=hint,
        refused=list(refused),
        permitted=permitted,
    )


def _values(found: Found, category: str, plaintext: bytes) -> Iterator[TwinReading]:
    digest = found.digest.hex()
    try:
        content = decode_readings(plaintext)
    except IntegrityError as error:
        raise IntegrityError(error.message, block=digest, party=found.writer) from error
    period = found.manifest.period
    if not all(period.start <= each.minute <= period.end for each in content.readings):
        raise IntegrityError("a snapshot holds readings of another time", block=digest, party=found.writer)
    if content.category != category:
        raise IntegrityError("a writer filed a snapshot under another category", block=digest, party=found.writer)
    for each in content.readings:
        yield TwinReading(each.at, each.value, each.unit, each.quality, digest, found.late)


def _without_repeats(values: Sequence[TwinReading]) -> list[TwinReading]:
    """One of each (time, value, unit), whatever snapshots it stands in."""
    seen: dict[tuple[float, float, str], TwinReading] = {}
    for each in values:
        seen.setdefault((each.at.timestamp(), each.value, each.unit), each)
    return list(seen.values())


def _unit_for(category: str, to_unit: str) -> Unit:
    try:
        target, own = unit(to_unit), unit(vocabulary.category(category).unit)
    except ValueError as error:
        raise InputError(f"{error}.") from None
    if target.base != own.base:
        raise InputError(f"{target.code} is not a unit of {category}.", hint=f"{own.code} is one.")
    return target


def _converted(each: TwinReading, target: Unit) -> TwinReading:
    value = unit(each.unit).convert(each.value, target)
    return TwinReading(each.at, value, target.code, each.quality, each.snapshot, each.late)


__all__ = ["Reader", "denied"]

"""Reading: one door for everything that leaves a twin.

The grant that gets furthest is chosen, judged by the rule on the state of the ledger, and then the custodians judge
it again. Readings come back checked: anchored, signed, in their order, under a roster of the owner's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import AccessDeniedError, DtledgerError, InputError, IntegrityError, UnreachableError
from ..ledger import Now, View
from ..snapshots.finder import Finder, Found
from ..snapshots.opening import Asking, Opened, open_snapshots
from ..snapshots.package import NO_KEYS
from ..types import ZERO_DIGEST, Digest, Period
from ..vocabulary import STATES, Action, Purpose, Reason
from .collecting import Collected, content_of, unit_for
from .context import Context
from .deciding import Decision, Door, Question, decide, denied, grantees_of, judge
from .keyrings import ALL_TIME, granted_keys, owner_keys
from .readings import Readings


@dataclass(frozen=True, slots=True)
class Way:
    """The door that was chosen, and the data periods that the rule shuts behind it as of a block."""

    door: Door
    question: Question
    shut: dict[Period, Reason]
    block: int


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
        question = Question(twin, self._context.key.address, action, purpose, category, period)
        return self._decide(question, self._context.now())[0]

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
        originals: bool = False,
        snapshot: Digest | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Readings:
        """Decrypted, verified readings of a category whose minute lies in `period` (all of it, if none).

        Args:
            partial: give what is permitted and sound instead of refusing all; `.refused` and `.faults` of the result
                say what is missing.
            to_unit: a UCUM code to convert values into.
            originals: give the values too that amendments took the place of or withdrew; `.superseded_by` of each and
                `.amendments` of the result say by what and why.
            snapshot: only what the snapshot of that digest holds, with those that it corrects or that correct it.
            progress: told snapshots opened and snapshots in all.

        Raises:
            AccessDeniedError: not permitted; `.reason`, `.evidence["refused"]` (periods with reasons) and
                `.evidence["permitted"]` (the largest permitted period) say more.
            InputError: the unit is none of the category's, or the category holds no readings.
            IntegrityError: a block, signature, share or sequence is wrong; `.block` and `.party` name it.
            UnreachableError: ledger, store or too many custodians do not answer.
        """
        context = self._context
        if category in STATES:
            raise InputError(f"{category} holds states and no readings.", hint="Ask `dtledger twin forecast` for it.")
        target = unit_for(category, to_unit) if to_unit else None
        wanted = period or ALL_TIME
        question = Question(twin, context.key.address, action, purpose, category, wanted)
        now = context.now()
        doors = self._enter(question, now)
        keys = doors[0].keys or NO_KEYS
        finder = Finder(context.deployment, now.view, context.store, twin, keys, tolerates=partial)
        periods = list(finder.periods(category, wanted))
        way = choose(doors, question, periods, now, partial=partial)
        collected = Collected(refused=sorted(way.shut.items()))
        for group in finder.find(category, wanted):
            collected.corrections.see(group)
            asked = self._asked(way, group, collected)
            if partial:
                self._open_what_opens(way, _reached(way, asked, collected), collected)
            else:
                self._open(way, asked, collected)
            if progress:
                progress(collected.snapshots, len(periods))
        newest = finder.newest_minute(category)
        collected.faults |= finder.faults
        collected.doubled = finder.doubled
        collected.faults |= collected.corrections.settle(finder, category, partial=partial)
        age = None if newest is None else max(0, context.clock() - newest * 60)
        return collected.result(category, age, target, partial=partial, originals=originals, snapshot=snapshot)

    def finder(self, twin: int, category: str, purpose: Purpose) -> Finder:
        """What finds the snapshots of a category that this key may ask for now, one period or another. It tolerates
        faults.

        Raises:
            AccessDeniedError: the rule refuses for another reason than the period.
        """
        question = Question(twin, self._context.key.address, Action.READ, purpose, category, ALL_TIME)
        now = self._context.now()
        doors = self._enter(question, now)
        context, keys = self._context, doors[0].keys or NO_KEYS
        return Finder(context.deployment, now.view, context.store, twin, keys, tolerates=True)

    def doors(self, view: View, twin: int) -> tuple[list[Door], list[DtledgerError]]:
        """Ownership, or each grant of mine or my organisation's; and why a package could not be opened."""
        context, me = self._context, self._context.key.address
        owner = view.owner(twin)
        if owner == me:
            keys = owner_keys(context.key.secrets.twin(context.deployment.origin, twin))
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

    def _enter(self, question: Question, now: Now) -> list[Door]:
        """The doors to go through.

        Raises:
            AccessDeniedError: there is none.
        """
        decision, doors = self._decide(question, now)
        if doors:
            return doors
        refused = [(question.period, decision.reason)]
        successor = now.view.successor(question.twin)
        refusal = denied(decision.reason, question.twin, question.category, refused, None, successor)
        if now.view.owner(question.twin) == question.requester and question.purpose is not Purpose.PATRQT:
            refusal.hint = "An owner reads its own data for the purpose PATRQT."
        raise refusal

    def _decide(self, question: Question, now: Now) -> tuple[Decision, list[Door]]:
        """The decision on the door that gets furthest, and the doors to go through. A period that is not wholly granted
        is settled later, snapshot by snapshot."""
        doors, faults = self.doors(now.view, question.twin)
        decision, best = decide(doors, question, now)
        ways = [best] if decision.permits and best is not None else []
        if decision.reason is Reason.PERIOD:
            ways = [each for each in doors if _is_shut_for_period(each, question, now)]
        if faults and not ways and decision.reason >= Reason.NO_GRANT:
            raise faults[0]
        return decision, ways

    def _asked(self, way: Way, group: list[Found], collected: Collected) -> list[Found]:
        counted = [each for each in group if each.counts]
        collected.uncounted += len(group) - len(counted)
        return [each for each in counted if each.manifest.period not in way.shut]

    def _open_what_opens(self, way: Way, asked: list[Found], collected: Collected) -> None:
        """Open all but those that their writer wrote wrong, which are searched for by halving: a custodian that
        complains of one opens none."""
        try:
            self._open(way, asked, collected)
        except IntegrityError as fault:
            guilty = {party for each in asked for party in (each.writer, each.sealed_by)}
            if fault.party not in guilty and (fault.party or not fault.block):
                raise
            if len(asked) == 1:
                collected.faults.setdefault(asked[0].writer, fault)
                return
            half = len(asked) // 2
            self._open_what_opens(way, asked[:half], collected)
            self._open_what_opens(way, asked[half:], collected)

    def _open(self, way: Way, asked: list[Found], collected: Collected) -> None:
        """Open all of these, or none."""
        if not asked:
            return
        opened = self._opened(way, asked)
        by_digest = {each.digest: each for each in asked}
        contents = {
            digest: content_of(by_digest[digest], way.question.category, plaintext)
            for digest, plaintext in opened.plaintexts.items()
        }
        collected.add(opened, contents, by_digest, way.question)

    def _opened(self, way: Way, asked: list[Found]) -> Opened:
        """What the custodians say to a request for these."""
        context, door, question = self._context, way.door, way.question
        assert question.purpose is not None
        assert door.keys is not None
        for each in asked:
            if door.record is None and each.manifest.generation not in door.keys.covers:
                raise IntegrityError(
                    "a snapshot is of a generation that its twin never had", block=each.digest.hex(), party=each.writer
                )
        asking = Asking(
            context.key, door.grantee, door.number, question.action, question.purpose, context.clock(), way.block
        )
        return open_snapshots(context.deployment, context.custodians, asking, asked, door.keys, question.category)


def _reached(way: Way, asked: list[Found], collected: Collected) -> list[Found]:
    """Those of a generation that the package has keys of: the others wait for the owner to renew the grant, or are of a
    generation that their writer made up, and either way shut nothing else."""
    if way.door.record is None or way.door.keys is None:
        return asked
    covers = way.door.keys.covers
    collected.refused += [
        (each.manifest.period, Reason.CATEGORY) for each in asked if each.manifest.generation not in covers
    ]
    return [each for each in asked if each.manifest.generation in covers]


def _is_shut_for_period(door: Door, question: Question, now: Now) -> bool:
    """Whether the rule minds nothing but the period."""
    try:
        return judge(door, question, question.period, now) is Reason.PERIOD
    except AccessDeniedError:
        return False


def choose(doors: Sequence[Door], question: Question, periods: Sequence[Period], now: Now, *, partial: bool) -> Way:
    """The door behind which the rule shuts the least; unless `partial`, any refusal refuses the whole."""
    ways = []
    for door in doors:
        reasons = {each: judge(door, question, each, now) for each in set(periods)}
        shut = {each: why for each, why in reasons.items() if not why.permits}
        ways.append(Way(door, question, shut, now.tip.head.number))
    way = min(ways, key=lambda each: len(each.shut))
    permitted = [each for each in periods if each not in way.shut]
    if way.shut and (not partial or not permitted):
        refused = sorted(way.shut.items())
        largest = Period(min(permitted).start, max(each.end for each in permitted)) if permitted else None
        raise denied(refused[0][1], question.twin, question.category, refused, largest)
    return way

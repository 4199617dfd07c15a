"""Deciding: what the rule says of a request now, and on which grant. Nobody is asked but the ledger.

A request may fit several grants; the one that gets furthest in the rule is named, since its reason says what is
missing. An owner decides for anybody, a grantee for itself: only they know what the category bits of a grant mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from ..crypto.bits import BitMap
from ..errors import AccessDeniedError, InputError
from ..ledger import GrantRecord, Now, Slot, View
from ..policy import SLOTS, Request
from ..snapshots.package import Keys
from ..types import Address, Period
from ..vocabulary import Action, Purpose, Reason, category
from .context import Context


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants: `purpose` is None for WRITE alone."""

    twin: int
    requester: Address
    action: Action
    purpose: Purpose | None
    category: str
    period: Period

    def __post_init__(self) -> None:
        if type(self.twin) is not int:
            raise InputError(f"A twin is named by its number, not by {self.twin!r}.")
        try:
            category(self.category)
        except ValueError as error:
            raise InputError(f"{error}.") from None
        if self.action is Action.EMERGENCY:
            raise InputError("EMERGENCY is a property of a grant, not something to ask for.", hint="Ask to READ.")
        if self.action is Action.WRITE and self.purpose is not None:
            raise InputError("Writing has no purpose.", hint="Leave the purpose out.")
        if self.action is not Action.WRITE and self.purpose is None:
            raise InputError(
                "A request without a purpose is no request.",
                hint=f"Name one: {', '.join(each.name for each in Purpose)}.",
            )


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rule says of a question, and on which grant: the one that gets furthest. It is true if it permits."""

    reason: Reason
    question: Question
    record: GrantRecord | None = None

    def __bool__(self) -> bool:
        return self.permits

    @property
    def permits(self) -> bool:
        """Whether the reason is one to permit."""
        return self.reason.permits


@dataclass(frozen=True, slots=True)
class Door:
    """A way in: under which grant (the owner's own: grantee is the owner, number 0, no record), what its category bits
    mean, and the keys, where they are at hand."""

    bits: BitMap
    grantee: Address
    number: int
    record: GrantRecord | None = None
    keys: Keys | None = None


def decide(doors: Sequence[Door], question: Question, now: Now) -> tuple[Decision, Door | None]:
    """The door that gets furthest, and how far. The requester's slots that are empty or revoked lead nowhere, but
    what the rule says of them may be the furthest that there is."""
    answers: list[tuple[Reason, Door | None]] = [
        (_ask(question, slot.grantee, slot.number, 0, Period(0, 0), now), None)
        for slot in _shut_slots(now.view, question)
    ]
    for door in doors:
        try:
            answers.append((judge(door, question, question.period, now), door))
        except AccessDeniedError:
            answers.append((Reason.CATEGORY, door))
    reason, best = max(answers, key=lambda each: (each[0].permits, each[0], each[1] is not None))
    return Decision(reason, question, best.record if best else None), best


def judge(door: Door, question: Question, period: Period, now: Now) -> Reason:
    """What the rule says of the question through one door, for data of `period`.

    Raises:
        AccessDeniedError: nobody at hand knows the category's bit (reason CATEGORY).
    """
    bit = door.bits.bit_of(question.category)
    return _ask(question, door.grantee, door.number, bit, period, now)


def grantees_of(view: View, requester: Address) -> list[Address]:
    """In whose name a requester may ask: its own, and its organisation's."""
    member = view.member(requester)
    return [requester] + ([member.organisation] if member and member.organisation else [])


def decide_for(context: Context, question: Question) -> Decision:
    """As the owner, what the rule says of somebody's question.

    Raises:
        AccessDeniedError: this key does not own the twin, so it knows the meaning of no bit.
    """
    now = context.now()
    view = now.view
    owner = view.owner(question.twin)
    if owner != context.key.address:
        raise AccessDeniedError(
            f"Twin {question.twin} is not owned by this key, so it can ask for nobody but itself.",
            hint="Choose the owner's key with --key, or leave --who out.",
        )
    bits = context.key.secrets.twin(context.deployment.origin, question.twin).bits
    records = [
        record
        for grantee in grantees_of(view, question.requester)
        for record in view.slots_of(owner, question.twin, grantee)
    ]
    doors = [Door(bits, each.slot.grantee, each.slot.number, each) for each in records if each.grant.given]
    return decide(doors, question, now)[0]


def _shut_slots(view: View, question: Question) -> list[Slot]:
    """The requester's slots in which nothing stands, so that the rule's answer does not depend on the category: those
    revoked, and one that was never written."""
    owner, me = view.owner(question.twin), question.requester
    if owner is None:
        return [Slot(me, question.twin, me, 0)]
    records = [each for grantee in grantees_of(view, me) for each in view.slots_of(owner, question.twin, grantee)]
    revoked = [each.slot for each in records if not each.grant.given]
    written = {each.slot for each in records}
    free = (slot for number in range(SLOTS) if (slot := Slot(owner, question.twin, me, number)) not in written)
    return [*revoked, *islice(free, 1)]


def _ask(question: Question, grantee: Address, number: int, bit: int, period: Period, now: Now) -> Reason:
    request = Request(
        question.twin, question.requester, grantee, number, question.action, question.purpose, bit, period
    )
    return now.check(request)


def shut(refused: Sequence[tuple[Period, Reason]]) -> AccessDeniedError:
    """What custodians refused of what the rule here permits."""
    _, reason = refused[0]
    return AccessDeniedError(
        f"The custodians refuse {len(refused)} snapshots: {reason.text} ({reason.name}).",
        reason=reason,
        refused=list(refused),
    )


def denied(
    reason: Reason,
    twin: int,
    category: str,
    refused: Sequence[tuple[Period, Reason]],
    permitted: Period | None,
    successor: Address | None = None,
) -> AccessDeniedError:
    """The refusal of a read, with what was refused and what would be permitted; `successor` is where the twin went."""
    if successor is not None:
        return AccessDeniedError(
            f"Reading {category} of twin {twin} is refused: the twin has left for another deployment ({reason.name}).",
            reason=reason,
            hint=f"Ask for it there: choose the profile whose consents are at {successor} with --profile.",
            refused=list(refused),
            permitted=permitted,
            successor=successor,
        )
    hint = {
        Reason.TWIN_UNKNOWN: "Look at its number: `dtledger twin list`.",
        Reason.RETIRED: "Nothing can be read of it unless its owner cancels that while it is not final.",
        Reason.FROZEN: "Its guardians can end that (`dtledger twin unfreeze`); else it ends by itself.",
        Reason.NOT_ENROLLED: "Ask a registrar to enrol you: `dtledger member card` makes what it needs.",
        Reason.SUSPENDED: "Ask whoever governs the registry: `dtledger member show` says who is suspended.",
        Reason.BLOCKED: "Only the patient can lift the block.",
        Reason.NO_GRANT: "Ask the patient for a grant that covers it; the owner reads for the purpose PATRQT.",
        Reason.PERIOD: "Ask for less (--since, --until), or for what is permitted with --partial.",
        Reason.KIND: "Ask a registrar for the kind that the action needs.",
        Reason.EMERGENCY_CLOSED: "Open it, if this is an emergency: `dtledger emergency open`.",
    }.get(reason, "Ask the patient for a grant that covers it.")
    return AccessDeniedError(
        f"Reading {category} of twin {twin} is refused: {reason.text} ({reason.name}).",
        reason=reason,
        hint=hint,
        refused=list(refused),
        permitted=permitted,
    )

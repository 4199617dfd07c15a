"""Whether what was opened was permitted when it was opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..custody.receipts import AccessReceipt
from ..errors import CannotCheckError, IntegrityError
from ..ledger import Opening, View
from ..policy import MalformedRequestError, Request, check
from ..types import Address, Period
from ..vocabulary import Action, Kind, Reason
from ..vocabulary.numbers import number_of
from .chain import LINE, Chain
from .counted import Gap

BEHIND = 3600
"""Seconds that the block by which a custodian decided may be behind the time that its receipt tells: it asks a node
for one that is a minute old at most, and clocks differ."""

_AS_SHOWN = ". So their streams have them: at fault is their custodian, or a writer that sealed them as something else"
"""A custodian sees no stream: what a snapshot is of stands in the share alone for it, which the writer sealed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a snapshot is of, as its stream has it; `bit` where its owner revealed the category, and that held."""

    period: Period
    bit: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """What a receipt opened: each snapshot of it that stands in a stream at hand, and how many do not."""

    snapshots: Sequence[Snapshot]
    unknown: int


def time_of_block(chain: Chain, receipt: AccessReceipt) -> int | None:
    """When the block was made that a receipt names (unix seconds); None if no short line leads there on a chain that
    is looked at in part.

    Raises:
        IntegrityError: the block is not the chain's.
        CannotCheckError: it is after the head.
    """
    try:
        header = chain.header(receipt.block, LINE)
    except CannotCheckError:
        if receipt.block > chain.head.number:
            raise
        return None
    if header.hash != receipt.block_hash:
        raise IntegrityError(f"it names a block {receipt.block} that is not this chain's", party=receipt.custodian)
    return header.at


def require_consent(
    chain: Chain,
    view: View,
    receipt: AccessReceipt,
    past: int,
    gaps: Sequence[Gap],
    unopened: CannotCheckError | None,
    name: Callable[[Address], str],
    opened: Opened | None = None,
    since: int = 0,
) -> str:
    """Pass if the grant that a receipt names permitted what it says, at its block and at its time: what was withdrawn
    by a block `BEHIND` its time is withdrawn, whichever older one it names. Of which category and period the snapshots
    are no receipt says: where nobody shows it, what the grant has is taken.

    Args:
        past: the newest block with an event that was made `BEHIND` the receipt's time, or by `since`.
        unopened: why an emergency may be left out, if one may.
        opened: what it opened, if the list beside it is at hand.
        since: when it was written at the earliest (unix seconds), whatever it says.

    Raises:
        IntegrityError: the block is not the chain's, or nothing permitted it.
        CannotCheckError: the block is after the head, what stood then is in doubt, or what was opened is not at hand.
    """
    made = time_of_block(chain, receipt)
    at = max(receipt.at if made is None else made, since)
    if not receipt.permitted:
        return f"{name(receipt.requester)} asked for {receipt.count}, and nothing was opened"
    for block in sorted({receipt.block, max(receipt.block, past)}):
        then = view.earlier(block)
        member = then.member(receipt.requester)
        parties = (receipt.requester, receipt.grantee, member.organisation if member else None)
        if any(each.covers(block, parties) for each in gaps):
            raise CannotCheckError(f"What stood at block {block} is not known: a denial skipped what was before it.")
        said = _said(then, receipt, at, opened)
        if unopened is not None and Reason.EMERGENCY_CLOSED in said:
            raise unopened
        if denied := min((each for each in said if not each.permits), default=None):
            so = _AS_SHOWN if opened and denied in (Reason.CATEGORY, Reason.PERIOD) else ""
            raise IntegrityError(
                f"{number_of(said[denied], 'snapshot')} went to {name(receipt.requester)}, who had no permit at block "
                f"{block}: {denied.name}{so}",
                party=receipt.custodian,
            )
    to = f"{number_of(receipt.permitted, 'snapshot')} to {name(receipt.requester)}"
    if Reason.OWNER in said:
        return f"{to} as the owner at block {receipt.block}"
    if opened is not None and opened.unknown:
        raise CannotCheckError(
            f"{to}: of which category and period {opened.unknown:,} of them are is not at hand, for they stand in no "
            "stream that could be looked at."
        )
    return (
        f"{to} under {receipt.twin}/{name(receipt.grantee)}/{receipt.slot} at block {receipt.block}; {_shown(opened)}"
    )


def _said(then: View, receipt: AccessReceipt, at: int, opened: Opened | None) -> Counter[Reason]:
    """How many of the snapshots that were opened the rule says what to; of one that is not shown what it would to the
    grant's own category and period."""
    counts = Counter(opened.snapshots if opened else ())
    if not counts:
        return Counter({_reason(then, receipt, at, None): receipt.permitted})
    said: Counter[Reason] = Counter()
    for snapshot, count in counts.items():
        said[_reason(then, receipt, at, snapshot)] += count
    return said


def _shown(opened: Opened | None) -> str:
    if opened is None:
        return "of which category and period is not shown"
    named = sum(each.bit is not None for each in opened.snapshots)
    within = "each within its period"
    if named == len(opened.snapshots):
        return f"{within} and categories"
    return f"{within}, {named:,} shown to be within its categories"


def _reason(then: View, receipt: AccessReceipt, at: int, snapshot: Snapshot | None) -> Reason:
    """What the rule says to a receipt's request for a snapshot, between its time and `at`."""
    owner = then.owner(receipt.twin)
    word = then.grant(owner, receipt.twin, receipt.grantee, receipt.slot) if owner else None
    bit = max(word.categories.bit_length() - 1, 0) if word else 0
    period = Period(word.data.start, word.data.start) if word else Period(0, 0)
    if snapshot is not None:
        bit, period = bit if snapshot.bit is None else snapshot.bit, snapshot.period
    asked = Request(
        twin=receipt.twin,
        requester=receipt.requester,
        grantee=receipt.grantee,
        number=receipt.slot,
        action=receipt.action,
        purpose=None if receipt.action is Action.WRITE else receipt.purpose,
        bit=bit,
        period=period,
    )
    try:
        return check(then, asked, min(receipt.at, at), max(receipt.at, at))
    except MalformedRequestError as error:
        raise IntegrityError(f"it tells of a request that nobody can make: {error}", party=receipt.custodian) from error


def require_review(view: View, opening: Opening, now: int, name: Callable[[Address], str]) -> str:
    """Pass if an emergency was reviewed by an auditor who is neither the opener nor of its organisation.

    Raises:
        IntegrityError: it is overdue, or its reviewer was none.
        CannotCheckError: there is time left for its review.
    """
    review = view.review(opening.number)
    if review is None:
        if now < opening.review_by:
            raise CannotCheckError("It waits for its review, for which there is time left.")
        raise IntegrityError(f"opened by {name(opening.opener)}, and nobody reviewed it in time")
    then = view.earlier(review.block)
    member, opener = then.member(review.reviewer), then.member(opening.opener)
    if member is None or not member.is_a(Kind.AUDITOR):
        raise IntegrityError(f"{name(review.reviewer)}, who reviewed it, was no AUDITOR")
    theirs = {opening.opener, opener.organisation if opener else None} - {None}
    if theirs & {review.reviewer, member.organisation}:
        raise IntegrityError(f"{name(review.reviewer)}, who reviewed it, belongs to who opened it")
    late = ", late" if review.at > opening.review_by else ""
    return f"opened by {name(opening.opener)}, reviewed by {name(review.reviewer)}{late}"

"""Breaking the glass: grants that sleep, those who open them, and those who look at it afterwards.

An owner gives an emergency organisation a grant that sleeps (`let`). A member of it opens the grant for hours (`open`)
with a cause and, sealed to the owner and to those who may review, words; then it reads for ETREAT as it would for any
other purpose. An auditor of another organisation says what it found (`review`). `openings` has whose is overdue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from .. import encoding
from ..encoding import CID
from ..errors import CannotCheckError, DtledgerError, InputError
from ..ledger import GrantRecord, Opening, Receipt, Review, Slot, View, calls
from ..ledger.events import EmergencyOpened
from ..snapshots.blame import blaming
from ..snapshots.sealed_text import open_text, seal_text
from ..types import MAX_MINUTE, ZERO_DIGEST, Address, Digest, Period
from ..vocabulary import CATEGORIES, Action, Cause, Finding, Kind
from .consents import Consents
from .context import Context
from .terms import GrantState, Terms

YEAR = 365 * 86_400
"""Seconds for which a grant that sleeps is given by default."""

MOST_READERS = 32
"""Auditors to whom an opener's words are sealed at most, the first enrolled."""


class ReviewState(Enum):
    """How the review of an opening stands."""

    WAITING = "waiting"
    OVERDUE = "overdue"
    REVIEWED = "reviewed"
    LATE = "reviewed late"


@dataclass(frozen=True, slots=True)
class Told:
    """An opening, its review, and how that stands. `closed` once it permits nothing more by its own time."""

    opening: Opening
    review: Review | None
    state: ReviewState
    closed: bool


def sleeping_terms(
    now: int, seconds: int = YEAR, categories: Iterable[str] | None = None, *, first_minute: int = 0
) -> Terms:
    """Terms of a grant that sleeps: by default all that is not sensitive, the past too, for a year."""
    names = tuple(categories or ()) or tuple(each.name for each in CATEGORIES if not each.sensitive)
    data = Period(first_minute, min((now + seconds) // 60, MAX_MINUTE))
    return Terms(names, (), (Action.EMERGENCY,), now, now + seconds, data)


class Emergencies:
    """What owners, openers and reviewers do with emergencies."""

    def __init__(self, context: Context, consents: Consents) -> None:
        self._context = context
        self._consents = consents

    # the owner -----------------------------------------------------------------------------------------------

    def let(self, twin: int, organisation: Address, terms: Terms | None = None) -> tuple[Slot, Receipt]:
        """Give an emergency organisation (or person) a grant that sleeps. Raises as `Consents.grant`."""
        terms = terms or sleeping_terms(self._context.clock())
        if terms.actions != (Action.EMERGENCY,):
            raise InputError("A grant for emergencies permits nothing but to be opened.", hint="Grant the rest apart.")
        return self._consents.grant(twin, organisation, terms)

    def grants(self, twin: int) -> list[GrantRecord]:
        """What its owner lets sleep on a twin, and is in force or will be."""
        owner = self._context.view().owner(twin)
        over = (GrantState.REVOKED, GrantState.ENDED)
        records = self._context.view().records(owner, twin) if owner else []
        return [
            each
            for each in records
            if each.grant.actions & Action.EMERGENCY.mask and self._consents.state(each) not in over
        ]

    # the opener ----------------------------------------------------------------------------------------------

    def open(self, slot: Slot, cause: Cause, text: str = "") -> tuple[Opening, Receipt]:
        """As an EMERGENCY member, open a grant that sleeps.

        Raises:
            LedgerRejection: the rule is against it (`CannotOpenError` says why), or three openings wait for a review.
            InputError: the text is too long.
        """
        context = self._context
        said = self._put(text, self._readers(slot), _about(slot, context.key.address)) if text else ZERO_DIGEST
        call = calls.open_emergency(slot.twin, slot.grantee, slot.number, cause, said)
        receipt = context.ledger.send(call, context.key)
        number = receipt.the(EmergencyOpened).opening
        opening = context.view().opening(number)
        if opening is None:
            raise CannotCheckError(f"Opening {number} is not in the events yet.", hint="Look again in a moment.")
        return opening, receipt

    def openable(self, twin: int | None = None) -> list[GrantRecord]:
        """The grants that sleep which this key could open, on any twin or on one."""
        return [
            each
            for each in self._consents.received()
            if each.grant.actions & Action.EMERGENCY.mask
            and self._consents.state(each) is GrantState.LIVE
            and twin in (None, each.slot.twin)
        ]

    # the reviewer --------------------------------------------------------------------------------------------

    def review(self, number: int, finding: Finding, text: str = "") -> Receipt:
        """As an auditor of another organisation, say what one found of an opening.

        Raises:
            InputError: there is no such opening.
            LedgerRejection: it is reviewed already, or this key may not.
        """
        opening = self._context.view().opening(number)
        if opening is None:
            raise InputError(f"There is no opening {number}.", hint="See `dtledger emergency list --all`.")
        said = ZERO_DIGEST
        if text:
            readers = self._keys_of({opening.slot.owner, opening.opener, self._context.key.address}, opening.slot)
            said = self._put(text, readers, _reviewed(number))
        return self._context.ledger.send(calls.review_emergency(number, finding, said), self._context.key)

    def reviewable(self) -> list[Told]:
        """The openings without a review that this key could review."""
        view, me = self._context.view(), self._context.key.address
        return [each for each in self.openings() if each.review is None and _may_review(view, me, each.opening)]

    # everybody -----------------------------------------------------------------------------------------------

    def openings(self, twin: int | None = None, *, overdue: bool = False) -> list[Told]:
        """Every opening there was, on any twin or on one, newest first; only those whose review is overdue."""
        view = self._context.view()
        told = [self.told(each, view) for each in reversed(view.openings()) if twin in (None, each.slot.twin)]
        return [each for each in told if not overdue or each.state is ReviewState.OVERDUE]

    def concerning(self, twin: int | None = None) -> list[Told]:
        """The openings on one's own twins, one's own and one's organisation's, and those that one may review or did."""
        view, me = self._context.view(), self._context.key.address
        member = view.member(me)
        own = {me} | ({member.organisation} if member and member.organisation else set())
        return [
            each
            for each in self.openings(twin)
            if own & {each.opening.slot.owner, each.opening.opener, each.opening.slot.grantee}
            or view.owner(each.opening.slot.twin) == me
            or (each.review is not None and each.review.reviewer == me)
            or (each.review is None and _may_review(view, me, each.opening))
        ]

    def told(self, opening: Opening, view: View | None = None) -> Told:
        """How an opening stands now."""
        view = view or self._context.view()
        now, review = self._context.clock(), view.review(opening.number)
        if review is None:
            state = ReviewState.OVERDUE if now >= opening.review_by else ReviewState.WAITING
        else:
            state = ReviewState.LATE if review.at >= opening.review_by else ReviewState.REVIEWED
        return Told(opening, review, state, now >= opening.closes_at)

    def words(self, opening: Opening) -> str | None:
        """The opener's words; None if there are none, or not for this key.

        Raises:
            IntegrityError: they are not what was announced; `.party` is the opener.
            UnreachableError: the store does not have them.
        """
        return self._words(opening.text, opening.opener, _about(opening.slot, opening.opener))

    def found(self, number: int, review: Review) -> str | None:
        """The reviewer's words. As `words`."""
        return self._words(review.text, review.reviewer, _reviewed(number))

    def _words(self, text: Digest, party: Address, about: bytes) -> str | None:
        if text == ZERO_DIGEST:
            return None
        cid, key = CID(text), self._context.key
        block = self._context.store.get(cid)
        with blaming(party, cid):
            return open_text(block, key.address, key.secrets.seal_keys, about)

    def _put(self, text: str, readers: dict[str, bytes], about: bytes) -> Digest:
        return self._context.store.put(seal_text(text, readers, about), "dag-cbor").digest

    def _readers(self, slot: Slot) -> dict[str, bytes]:
        """The owner, the opener, and those who may review."""
        view, me = self._context.view(), self._context.key.address
        auditors = [each for each in view.members() if _is_auditor(view, each) and _is_apart(view, each, me)]
        return self._keys_of({slot.owner, me, *auditors[:MOST_READERS]}, slot)

    def _keys_of(self, readers: set[Address], slot: Slot) -> dict[str, bytes]:
        """Their public keys; whoever's is not to be had is left out, since an emergency does not wait for it."""
        keys = {}
        for reader in readers:
            try:
                keys[str(reader)] = self._owner_key(slot) if reader == slot.owner else self._context.public_key(reader)
            except DtledgerError:
                continue
        return keys

    def _owner_key(self, slot: Slot) -> bytes:
        card = self._context.view().card(slot.twin)
        if card is None:
            raise CannotCheckError(f"Twin {slot.twin} has no card.")
        return self._context.store.get(CID(card.key, "raw"))


def _about(slot: Slot, opener: Address) -> bytes:
    return encoding.encode(["dtledger/emergency/1", slot.twin, slot.owner, slot.grantee, slot.number, opener])


def _reviewed(number: int) -> bytes:
    return encoding.encode(["dtledger/emergency-review/1", number])


def _is_auditor(view: View, who: Address) -> bool:
    member = view.member(who)
    over = view.member(member.organisation) if member and member.organisation else None
    return bool(member and member.is_a(Kind.AUDITOR) and not member.suspended and not (over and over.suspended))


def _is_apart(view: View, who: Address, opener: Address) -> bool:
    """Neither the opener nor of its organisation."""
    found, other = view.member(who), view.member(opener)
    parties = {opener, other.organisation if other else None} - {None}
    return not parties & {who, found.organisation if found else None}


def _may_review(view: View, who: Address, opening: Opening) -> bool:
    """As the contract asks; the opener's organisation counts as it was then and as it is now."""
    then = view.earlier(opening.block)
    return _is_auditor(view, who) and _is_apart(view, who, opening.opener) and _is_apart_then(view, then, who, opening)


def _is_apart_then(view: View, then: View, who: Address, opening: Opening) -> bool:
    former, member = then.member(opening.opener), view.member(who)
    organisation = former.organisation if former else None
    return organisation is None or organisation not in (who, member.organisation if member else None)

"""`contracts/base/Emergencies.sol`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...ledger.events import Emergency, EmergencyOpened, EmergencyReviewed
from ...ledger.rejections import ContractMalformedRequestError
from ...ledger.rejections.emergencies import (
    AlreadyReviewedError,
    CannotOpenError,
    NotReviewerError,
    UnknownCodeError,
    UnknownOpeningError,
    UnreviewedError,
)
from ...policy import SLOTS, Member, Request, check
from ...types import ZERO_ADDRESS, Address, Digest, Period
from ...vocabulary import Action, Cause, Finding, Kind, Purpose, Reason
from .consent_store import ConsentStore
from .facts import StoredFacts

MOST_UNREVIEWED = 3


@dataclass(frozen=True, slots=True)
class _Opening:
    opener: Address
    organisation: Address | None
    reviewed: bool = False


class Emergencies(ConsentStore):
    """Storage: ("openings",) → how many; ("opening", number); ("closes", owner, twin, grantee, number, revision,
    opener) → when an opening ends; ("unreviewed", opener) → how many wait; ("emergency length",); ("review period",).
    """

    def open_emergency(self, twin: int, grantee: Address, number: int, cause: int, text: Digest) -> None:
        if not 0 < cause <= max(Cause):
            raise UnknownCodeError({"field": "cause"})
        for field, wrong in (("grantee", grantee == ZERO_ADDRESS), ("number", number >= SLOTS)):
            if wrong:
                raise ContractMalformedRequestError({"field": field})
        owner: Address = self._storage.get(("owner", twin), ZERO_ADDRESS)
        word = self._slot(owner, twin, grantee, number)
        lowest = Period(word.data.start, word.data.start)
        bit = max(word.categories.bit_length() - 1, 0)
        asked = Request(twin, self._sender, grantee, number, Action.READ, Purpose.ETREAT, bit, lowest)
        reason = check(StoredFacts(self._storage), asked, self._now, self._now)
        if reason is not Reason.EMERGENCY_CLOSED:
            raise CannotOpenError({"reason": reason.value})
        waiting = self._storage.get(("unreviewed", self._sender), 0)
        if waiting == MOST_UNREVIEWED:
            raise UnreviewedError({"opener": self._sender, "openings": waiting})
        self._storage["unreviewed", self._sender] = waiting + 1

        opening = self._storage["openings",] = self._storage.get(("openings",), 0) + 1
        closes_at = self._now + self._storage["emergency length",]
        review_by = self._now + self._storage["review period",]
        self._storage["opening", opening] = _Opening(self._sender, self._organisation(self._sender))
        self._storage["closes", owner, twin, grantee, number, word.revision, self._sender] = closes_at
        said = Emergency(owner, grantee, number, word.revision, cause, text, closes_at, review_by)
        self._emit(EmergencyOpened(opening, twin, self._sender, said))

    def review_emergency(self, opening: int, finding: int, text: Digest) -> None:
        if not 0 < finding <= max(Finding):
            raise UnknownCodeError({"field": "finding"})
        entry: _Opening | None = self._storage.get(("opening", opening))
        if entry is None:
            raise UnknownOpeningError({"opening": opening})
        if entry.reviewed:
            raise AlreadyReviewedError({"opening": opening})
        if not self._may_review(entry):
            raise NotReviewerError({"caller": self._sender})
        self._storage["opening", opening] = replace(entry, reviewed=True)
        self._storage["unreviewed", entry.opener] -= 1
        self._emit(EmergencyReviewed(opening, self._sender, finding, text))

    def _may_review(self, entry: _Opening) -> bool:
        parties = {entry.opener, entry.organisation, self._organisation(entry.opener)} - {None}
        if parties & {self._sender, self._organisation(self._sender)}:
            return False
        member = self._member(self._sender)
        over = self._member(member.organisation) if member and member.organisation else None
        return bool(member and member.is_a(Kind.AUDITOR) and not member.suspended and not (over and over.suspended))

    def _organisation(self, who: Address) -> Address | None:
        member = self._member(who)
        return member.organisation if member else None

    def _member(self, who: Address) -> Member | None:
        found: Member | None = self._storage.get(("member", who))
        return found

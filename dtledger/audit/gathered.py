"""What an audit of a twin knows of it: its events, all of them, the view that they make, and what is in doubt."""

from __future__ import annotations

from bisect import bisect_right

from ..encoding import CID
from ..errors import CannotCheckError, DtledgerError, IntegrityError
from ..ledger import Deployment, View
from ..ledger.events import Granted, Logged
from ..ledger.records import CardRecord
from ..snapshots.finder import Finder
from ..snapshots.package import NO_KEYS
from ..snapshots.roster import Roster
from ..store import BlockStore
from ..types import Address
from ..vocabulary import Action
from .chain import Chain
from .counted import Gap
from .given import Given, Question, Receipts
from .known import Known
from .line import Line

_SLEEPS = Action.EMERGENCY.mask


class Gathered:
    """`view` and `finder` are there once `gather` returned. On a chain that is looked at in part, `gaps` are
    where denials skipped numbers, `moves` the blocks of moves before which a card may be left out, and `unopened` says
    why emergencies of the twin may be, if they may."""

    def __init__(
        self, chain: Chain, deployment: Deployment, store: BlockStore, question: Question, given: Given
    ) -> None:
        self._chain = chain
        self.deployment = deployment
        self.twin = question.twin
        self._store = store
        self._question = question
        self._given = given
        self._logged: list[Logged] = []
        self.known = Known(chain)
        self.gaps: list[Gap] = []
        self.moves: list[int] = []
        self.unopened: CannotCheckError | None = None
        self.view: View
        self.finder: Finder

    def gather(self) -> str:
        """Look for every event; the evidence that they are all.

        Raises:
            IntegrityError: they are not, or there is no such twin.
            CannotCheckError: one is not to be reached.
        """
        twin = self.twin
        self.known.twin(twin)
        lists = self._given.lists
        receipts = [each for said in lists.values() if isinstance(said, Receipts) for each in said.receipts]
        asked = {who for each in receipts for who in (each.requester, each.grantee)}
        self.known.members(asked | {each.who for each in self._question.denied})
        self.known.custodians(lists)
        self._look()
        if self.view.owner(twin) is None:
            raise IntegrityError(f"there is no twin {twin}")
        self.known.custodians(self.custodians())
        if not self._chain.is_whole:
            return self._count()
        return f"{self._look():,} events, and no block up to {self._chain.head.number} has another"

    def _look(self) -> int:
        history = self.known.history()
        self._logged = history.logged
        self.view = history.at(self._chain.head.number)
        self.finder = Finder(self.deployment, self.view, self._store, self.twin, NO_KEYS)
        return len(history.logged)

    def _count(self) -> str:
        """Where not every block is looked at: storage must have counted what is told, and no more."""
        self._look()
        if any(isinstance(each.event, Granted) and each.event.grant.actions & _SLEEPS for each in self._logged):
            try:
                self.known.openings()
            except CannotCheckError as error:
                self.unopened = error
        count, parties = self._look(), sorted(self.known.parties)
        line = Line(self.known, self.twin, parties)
        self.gaps, self.moves = line.gaps, line.moves
        return (
            f"{count:,} events of {len(parties)} parties, as many as storage counts at block {self._chain.head.number}"
        )

    def block_at(self, at: int) -> int:
        """The newest block with an event that was made by then (unix seconds); nothing changed until the next."""
        place = bisect_right(self._logged, at, key=lambda each: each.at)
        return self._logged[place - 1].place.block if place else 0

    def in_doubt(self, who: Address, block: int) -> bool:
        """Whether what somebody was permitted at the end of a block is not known."""
        member = self.view.earlier(block).member(who) if self.gaps else None
        return any(each.covers(block, (who, member.organisation if member else None)) for each in self.gaps)

    def cards_by_roster(self) -> list[CardRecord]:
        """One card of each roster that there ever was, oldest first."""
        cards = reversed(self.view.cards(self.twin))
        return list({record.card.roster: record for record in cards}.values())[::-1]

    def roster(self, record: CardRecord) -> Roster:
        """The roster that a card names. Raises as `Roster.decode` and the store."""
        return Roster.decode(self.deployment, self._store.get(CID(record.card.roster)))

    def custodians(self) -> list[Address]:
        """Everybody whom a roster names that can be read, in the order in which they came."""
        found: dict[Address, None] = {}
        for record in self.cards_by_roster():
            try:
                found |= dict.fromkeys(self.roster(record).custodians)
            except DtledgerError:  # which the claim `roster` says
                continue
        return list(found)

"""What a chain tells of a twin or a model: the events, all of them, as a history.

Which events concern it is found by asking for more until nothing new comes: what the registries say of the twin names
owners and grantees, the members' registry says of these which organisations and members they go with, and of all of
them what they anchored. On a chain that is looked at in part the batches come from the digest over them in storage,
and of receipts the newest anchor alone: no header near them is needed, or only one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple

from .._backend.event_codec import decode_event, selector
from ..errors import CannotCheckError, IntegrityError
from ..ledger import History
from ..ledger import events as e
from ..ledger.events import Logged, Place
from ..ledger.messages import word
from ..types import ZERO_ADDRESS, Address
from .chain import Chain
from .counted import require_members
from .facts import StoredFacts
from .layout import fields, words_of
from .proofs import Header, Log

_OF_MEMBERS = (e.Enrolled, e.CardUpdated, e.Dismissed, e.Agreed)

MOST_OPENINGS = 250
"""Emergencies of a whole ledger, up to which each is looked at where not every block is: storage counts them all
together, and does not say which are a twin's."""

_ANCHORED = 2**32
"""From here on batches without a place in their block are numbered: no block has as many logs."""


class Known:
    """Collects events of one chain's deployment; `history` has them in order, and what came from the deployment before,
    which `before` collects, is told by both. Every method raises as `Chain.logs_with`, and IntegrityError if storage
    counts more than is told."""

    def __init__(self, chain: Chain) -> None:
        former = chain.deployment.predecessor
        self.chain = chain
        self.before = Known(chain.of(former)) if former else None
        self._logged: dict[Place, Logged] = {}
        self._members: set[Address] = {ZERO_ADDRESS}
        self.unreached: dict[Address, CannotCheckError] = {}
        """The custodians whose newest anchor stands in a block that nothing leads to."""

    @property
    def parties(self) -> set[Address]:
        """Everybody who was asked about or turned out to bear on it."""
        return self._members - {ZERO_ADDRESS}

    def history(self) -> History:
        """All that was collected, without what came along of members who were not asked about."""
        if not self.chain.is_whole:
            ordered = (self._logged[place] for place in sorted(self._logged))
            require_members(self.chain, ordered, self.parties)
        history = History(self.before.history if self.before else None)
        for place in sorted(self._logged):
            if getattr(self._logged[place].event, "member", ZERO_ADDRESS) in self._members:
                history.add(self._logged[place])
        return history

    def twin(self, twin: int) -> None:
        """What happened to a twin, who had to do with it, and what they anchored."""
        events = [*self._of("TwinRegistry", word(twin)), *self._of("ConsentRegistry", word(twin))]
        for event in [each for each in events if isinstance(each, e.EmergencyOpened)]:
            events += self._of("ConsentRegistry", word(event.opening), selector(e.EmergencyReviewed))
        named = {who for event in events for who in _addresses(event)}
        if self.before is not None:
            self.before.twin(twin)
            named |= self.before.parties
        granted = {event.grantee for event in events if isinstance(event, e.Granted)}
        self.members(named | {who for each in granted for who in self._those_of(each)})

    def model(self, model: int) -> None:
        """What happened to a model, and who had to do with it."""
        events = self._of("ModelLedger", word(model))
        self.members({who for event in events for who in _addresses(event)})

    def members(self, who: Iterable[Address]) -> None:
        """What the registry says of these and of their organisations, and what they anchored."""
        waiting = set(who) - self._members
        while waiting:
            each = waiting.pop()
            self._members.add(each)
            for event in self._of("MemberRegistry", word(each)):
                if isinstance(event, _OF_MEMBERS) and event.member == each:
                    waiting |= {event.organisation} - self._members
            self._batches(each)

    def custodians(self, who: Iterable[Address]) -> None:
        """How far these anchored their receipts."""
        for each in who:
            if self.chain.is_whole:
                self._of("ReceiptLedger", word(each))
            else:
                self._newest_receipts(each)

    def openings(self) -> None:
        """Every emergency that was ever opened, on whatever twin.

        Raises:
            CannotCheckError: they are too many.
        """
        count = StoredFacts(self.chain, self.chain.head.number).opening_count()
        if count > MOST_OPENINGS:
            raise CannotCheckError(f"Of {count:,} emergencies on this ledger it cannot be told which were the twin's.")
        opened = self._of("ConsentRegistry", selector(e.EmergencyOpened))
        if {each.opening for each in opened if isinstance(each, e.EmergencyOpened)} != set(range(1, count + 1)):
            raise IntegrityError(f"storage counts {count} emergencies, of which {len(opened)} are told")

    def _newest_receipts(self, custodian: Address) -> None:
        """A custodian's newest anchor, whose block storage names."""
        places = words_of("ReceiptLedger", "_anchors", custodian)
        said = fields("ReceiptLedger", "_anchors", self.chain.words("ReceiptLedger", places))
        try:
            if said["count"]:
                self._take(self.chain.logs_in(said["blockNumber"], "ReceiptLedger", word(custodian)))
        except CannotCheckError as error:
            self.unreached[custodian] = error

    def _batches(self, sender: Address) -> None:
        if self.chain.is_whole:
            self._of("SnapshotLedger", word(sender))
            return
        for each in self.chain.batches(sender):
            place = Place(each.block, _ANCHORED + len(self._logged))
            self._logged[place] = Logged(place, each.at, e.BatchAnchored(sender, each.root, each.count, each.index))

    def _those_of(self, organisation: Address) -> Iterator[Address]:
        """Everybody who ever belonged to it."""
        for event in self._of("MemberRegistry", word(organisation)):
            if isinstance(event, (e.Enrolled, e.CardUpdated)) and event.organisation == organisation:
                yield event.member

    def _of(self, contract: str, *words: bytes) -> list[e.Event]:
        return self._take(self.chain.logs_with(contract, *words))

    def _take(self, logs: Iterable[tuple[Header, Log]]) -> list[e.Event]:
        found: list[e.Event] = []
        for header, log in logs:
            event = decode_event(list(log.topics), log.data)
            if event is not None:
                place = Place(header.number, log.place)
                self._logged[place] = Logged(place, header.at, event)
                found.append(event)
        return found


def _addresses(event: e.Event) -> Iterator[Address]:
    """The accounts that an event names."""
    for value in astuple(event) if not isinstance(event, e.CardSet) else (event.owner,):
        if isinstance(value, str) and value.startswith("0x") and len(value) == 42:
            yield Address(value)

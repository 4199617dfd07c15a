"""What a chain that is looked at whole tells of a twin or a model: the events, all of them, as a history.

Which events concern it is found by asking for more until nothing new comes: what the registries say of the twin names
owners and grantees, the members' registry says of these which organisations and members they go with, and of all of
them what they anchored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple

from .._backend.event_codec import decode_event
from ..ledger import Deployment, History
from ..ledger import events as e
from ..ledger.events import Logged, Place
from ..ledger.messages import word
from ..types import ZERO_ADDRESS, Address
from .chain import Chain

_OF_MEMBERS = (e.Enrolled, e.CardUpdated, e.Dismissed, e.Agreed)


class Known:
    """Collects events of one chain; `history` has them in order. Every method raises as `Chain.logs_with`.

    Args:
        of: the deployment that they are of, if not the chain's own. What came from its predecessor is told by both.
    """

    def __init__(self, chain: Chain, of: Deployment | None = None) -> None:
        self._chain = chain
        self._deployment = of
        self._before = Known(chain, of.predecessor) if of and of.predecessor else None
        self._logged: dict[Place, Logged] = {}
        self._members: set[Address] = {ZERO_ADDRESS}

    def history(self) -> History:
        """All that was collected, without what came along of members who were not asked about."""
        history = History(self._before.history if self._before else None)
        for place in sorted(self._logged):
            if getattr(self._logged[place].event, "member", ZERO_ADDRESS) in self._members:
                history.add(self._logged[place])
        return history

    def twin(self, twin: int) -> None:
        """What happened to a twin, who had to do with it, and what they anchored."""
        events = [*self._of("TwinRegistry", word(twin)), *self._of("ConsentRegistry", word(twin))]
        for event in [each for each in events if isinstance(each, e.EmergencyOpened)]:
            told = self._of("ConsentRegistry", word(event.opening))
            events += [each for each in told if isinstance(each, e.EmergencyReviewed)]
        named = {who for event in events for who in _addresses(event)}
        if self._before is not None:
            self._before.twin(twin)
            named |= self._before._members
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
            self._of("SnapshotLedger", word(each))

    def custodians(self, who: Iterable[Address]) -> None:
        """How far these anchored their receipts."""
        for each in who:
            self._of("ReceiptLedger", word(each))

    def _those_of(self, organisation: Address) -> Iterator[Address]:
        """Everybody who ever belonged to it."""
        for event in self._of("MemberRegistry", word(organisation)):
            if isinstance(event, (e.Enrolled, e.CardUpdated)) and event.organisation == organisation:
                yield event.member

    def _of(self, contract: str, word: bytes) -> list[e.Event]:
        found: list[e.Event] = []
        of = (self._deployment,) if self._deployment else ()
        for header, log in self._chain.logs_with(contract, word, *of):
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

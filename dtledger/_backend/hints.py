"""Where a deployment's events are, as an index of them tells: which blocks to ask a node for, if not for every one.

Nothing here is believed by an audit. An index that leaves something out is found out by what storage counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ..ledger import Deployment, History
from ..ledger.events import BatchAnchored, Logged, Remembered
from ..ledger.records import Anchored
from ..types import Address
from .event_codec import topics


class Hints:
    """What these events, in the chain's order, tell. `memories` are the blocks that the chain remembers.

    Args:
        former: what those of the deployment before tell, if there is one.
    """

    def __init__(self, deployment: Deployment, logged: Iterable[Logged], former: Hints | None = None) -> None:
        self._former = former
        self.memories: list[int] = []
        self._places: defaultdict[tuple[Address, bytes], set[tuple[int, int]]] = defaultdict(set)
        self._batches: defaultdict[Address, list[Anchored]] = defaultdict(list)
        for each in logged:
            event, place = each.event, each.place
            if isinstance(event, BatchAnchored):
                said = Anchored(event.root, event.count, event.index, place.block, each.at)
                self._batches[event.sender].append(said)
                continue
            if isinstance(event, Remembered):
                self.memories.append(event.number)
            contract, words = topics(event)
            for word in words:
                self._places[deployment.contracts[contract], word].add((place.block, place.index))

    @classmethod
    def of(cls, deployment: Deployment, history: History) -> Hints:
        """What all that a deployment said tells, and all that those before it said."""
        before = history.before
        former = cls.of(deployment.predecessor, before) if deployment.predecessor and before else None
        return cls(deployment, history.logged, former)

    def places(self, contract: Address, words: Sequence[bytes]) -> list[int]:
        """The blocks in which that contract made a log with all these topics; of batches see `anchored`."""
        found = [self._places.get((contract, each), set()) for each in words]
        told = {block for block, _ in set.intersection(*found)}
        return sorted(told.union(self._former.places(contract, words) if self._former else ()))

    def anchored(self, sender: Address) -> list[Anchored]:
        """Every batch of a sender, in order."""
        return self._batches.get(sender, [])

"""A `Ledger` without a chain: a node of a `MemoryChain`, with faults to order.

>>> from dtledger.ledger import calls
>>> from dtledger.testing import MemoryKey
>>> from dtledger.types import Digest
>>> ann, ledger = MemoryKey("ann"), MemoryLedger(MemoryChain({}))
>>> ledger.send(calls.anchor_batch(Digest(bytes(32)), 1, Digest(bytes(32))), ann).block
1
>>> ledger.send(calls.anchor_batch(Digest(bytes(32)), 0, Digest(bytes(32))), ann)
Traceback (most recent call last):
dtledger.ledger.rejections.EmptyBatchError: A batch without snapshots cannot be anchored.
>>> ledger.unreachable = True
>>> ledger.head()
Traceback (most recent call last):
dtledger.errors.UnreachableError: The ledger's node does not answer as it should (by order of the test).
"""

from __future__ import annotations

from threading import RLock

from ..errors import ChainMismatchError, UnreachableError
from ..ledger import Call, Deployment, History, Outbox, Receipt, Sender, Tip, View
from ..ledger.lanes import SAFE, Fees, Flights
from ..policy import Request, check
from ..types import Head
from ..vocabulary import Reason
from .memory_chain import MemoryChain
from .memory_contracts import StoredFacts
from .memory_lane import MemoryLane


class MemoryLedger:
    """One node. Faults are attributes: `unreachable`; `other_chain`, as if the node served another chain; and `freeze`.

    Its blocks are final at once or, where `final_after` is set, when so many more have come. Gas is always 0, and
    nobody needs funds.
    """

    def __init__(self, chain: MemoryChain) -> None:
        self.chain = chain
        self.unreachable = False
        self.other_chain = False
        self.final_after = 0
        self._frozen_at: Head | None = None
        self._former = MemoryLedger(chain.predecessor) if chain.predecessor else None
        self._history = History(self._former.history if self._former else None)
        self._folded = 0
        self._lock = RLock()

    def __repr__(self) -> str:
        return f"MemoryLedger(block={self.chain.head.number})"

    @property
    def deployment(self) -> Deployment:
        return self.chain.deployment

    def node(self) -> MemoryLedger:
        """Another node of the same chain, with faults of its own."""
        return MemoryLedger(self.chain)

    def freeze(self) -> None:
        """Fault: this node sees no new block, while the chain may go on without it."""
        self._frozen_at = self.chain.head

    def thaw(self) -> None:
        """End of `freeze`: it sees what the chain has."""
        self._frozen_at = None

    def mine(self, blocks: int = 1) -> Head:
        """Let the chain make empty blocks."""
        return self.chain.mine(blocks)

    def head(self) -> Head:
        self.require_answer()
        return self._frozen_at or self.chain.head

    def history(self) -> History:
        with self._lock:
            newest = self.head().number
            for logged in self.chain.logged[self._folded :]:
                if logged.place.block > newest:
                    break
                self._history.add(logged)
                self._folded += 1
            return self._history

    def view(self, block: int | None = None) -> View:
        with self._lock:
            return self.history().at(self.head().number if block is None else block)

    def tip(self) -> Tip:
        with self._lock:
            head = self.head()
            view = self.view(head.number)
            return Tip(head, view, view.earlier(max(head.number - self.final_after, 0)))

    def check(self, request: Request, earliest: int, latest: int) -> Reason:
        self.require_answer()
        return check(StoredFacts(self.chain.storage), request, earliest, latest)

    def send(self, call: Call, sender: Sender, outbox: Outbox | None = None) -> Receipt:
        self.require_answer()
        self.refuse_frozen()
        return self.chain.transact(call, sender.address)

    def lane(self, sender: Sender, flights: Flights, fees: Fees = SAFE) -> MemoryLane:
        return MemoryLane(self, sender.address, flights)

    def heartbeat(self, sender: Sender) -> Receipt:
        self.require_answer()
        self.refuse_frozen()
        return self.chain.heartbeat()

    def close(self) -> None:
        """Nothing is open."""

    def require_answer(self) -> None:
        if self.unreachable:
            raise UnreachableError("The ledger's node does not answer as it should (by order of the test).")
        if self.other_chain:
            raise ChainMismatchError(
                "The node serves another chain than the deployment's (by order of the test).",
                hint="Use the deployment's own node, or deploy on this chain with `dtledger deploy`.",
            )

    def refuse_frozen(self) -> None:
        if self._frozen_at is not None:
            raise UnreachableError(
                "No block took the transaction (the node is frozen, by order of the test).",
                hint="It may still be taken; look before you send it again.",
            )

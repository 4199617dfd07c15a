"""What a ledger is to the rest of dtledger: a head, a history, one question and one way to write.

Two speak it: `dtledger._backend.evm` (any Cancun EVM) and `dtledger.testing.memory_ledger` (no chain at all).
The same suite tests both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..policy import Request
from ..types import Address, Digest, Head
from ..vocabulary import Reason
from .events import Event
from .history import History
from .now import Tip
from .view import View

if TYPE_CHECKING:
    from .lanes import Fees, Flights, Lane

CONTRACTS = (
    "AccessManager",
    "MemberRegistry",
    "TwinRegistry",
    "ConsentRegistry",
    "SnapshotLedger",
    "ReceiptLedger",
    "ModelLedger",
    "BlockMemory",
)

RELAY = "Relay"
"""Carries many signed calls in one transaction. No state depends on it, and an older deployment has none."""

KEPT = ("AccessManager", "MemberRegistry", "SnapshotLedger", "ModelLedger", "BlockMemory")
"""The contracts that a successor shares with the deployment before it: they decide nothing about a twin."""

DEVELOPMENT_CHAINS = (31337, 1337)
"""Chain ids that Anvil and Hardhat give themselves."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One set of contracts on one chain. `genesis` tells apart chains that share a chain id."""

    chain_id: int
    genesis: Digest
    contracts: Mapping[str, Address]
    code: Mapping[str, Digest] = field(default_factory=dict)
    """Keccak-256 of each contract's code on the chain."""
    block: int = 0
    """The block of the first contract: no event is older."""
    predecessor: Deployment | None = None
    """The deployment before this one, whose twins come over as their owners sign it; it has the contracts of `KEPT`."""

    @property
    def id(self) -> str:
        """Chain id, genesis and consent registry in one word; keys and caches are filed under it."""
        return f"{self.chain_id}-{self.genesis.hex()[:16]}-{self.contracts['ConsentRegistry'][2:10].lower()}"

    @property
    def origin(self) -> str:
        """The `id` of the first deployment of this line: what is sealed, packed or kept of a twin is bound to it, and
        so good wherever the twin lives."""
        return self.predecessor.origin if self.predecessor else self.id

    @property
    def is_development(self) -> bool:
        """Whether it is on a chain that holds nothing of worth and whose blocks are final at once."""
        return self.chain_id in DEVELOPMENT_CHAINS


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one contract, not yet signed. Made by `dtledger.ledger.calls`."""

    contract: str
    function: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction that is in a block. `gas` is what the sender paid for, refund taken off."""

    transaction: str
    block: int
    at: int
    gas: int
    events: tuple[Event, ...]

    def the(self, kind: type[Any]) -> Any:
        """The one event of that class in the transaction. Raises LookupError: there is none, or more."""
        found = [event for event in self.events if isinstance(event, kind)]
        if len(found) != 1:
            raise LookupError(f"{len(found)} events {kind.__name__} in one transaction")
        return found[0]


@dataclass(frozen=True, slots=True)
class Sent:
    """One account's transaction number `nonce`, as it was sent last: gas limit, highest fee and tip (wei a gas), and
    the hash of every form that it was sent in, the newest last."""

    nonce: int
    gas: int
    fee: int
    tip: int
    hashes: tuple[Digest, ...]


class Outbox(Protocol):
    """Remembers the transaction that carries one call, over crashes too: whoever tries again replaces it by one with
    the same nonce and a higher fee, so that no two can ever both be taken."""

    def last(self) -> Sent | None: ...

    def note(self, sent: Sent) -> None:
        """Called before anything is sent."""
        ...


class Sender(Protocol):
    """Whoever signs transactions: an unlocked key."""

    @property
    def address(self) -> Address: ...

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes: ...


class Ledger(Protocol):
    """A view of one chain through one node."""

    @property
    def deployment(self) -> Deployment: ...

    def head(self) -> Head:
        """The newest block.

        Raises:
            UnreachableError: the node does not answer.
            ChainMismatchError: it serves another chain.
        """
        ...

    def history(self) -> History:
        """All events up to the head (at the time of the call)."""
        ...

    def view(self, block: int | None = None) -> View:
        """The state at the end of `block`, by default at the head, from the events."""
        ...

    def tip(self) -> Tip:
        """The head, the state there and the state that is final, all of one moment."""
        ...

    def check(self, request: Request, earliest: int, latest: int) -> Reason:
        """The contract's own answer at the head.

        Raises:
            MalformedRequestError: the contract reverted because the request makes no sense.
        """
        ...

    def send(self, call: Call, sender: Sender, outbox: Outbox | None = None) -> Receipt:
        """Make the call from `sender` and wait until it is in a block. With an `outbox`, which is for this call alone,
        a transaction that is stuck is replaced.

        Raises:
            LedgerRejection: the contract refuses it; nothing was written.
            UnreachableError: the node does not answer, or no block took it in time; it may still be taken.
        """
        ...

    def lane(self, sender: Sender, flights: Flights, fees: Fees) -> Lane:
        """That account's transactions, for whoever has many signed calls to send at once."""
        ...

    def heartbeat(self, sender: Sender) -> Receipt:
        """Send a transaction that does nothing, so that the chain makes a block and time is known."""
        ...

    def close(self) -> None: ...

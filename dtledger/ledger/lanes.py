"""What a relay needs of a ledger: lanes. A lane is one account's transactions, of which several are under way at once,
each with many signed calls in it.

A call may be carried any number of times, for a message counts once; a nonce is used once. So whoever knows which
transaction of which nonce holds which calls (`Flights`), and asks the ledger, loses none and doubles none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from ..encoding import keccak
from ..errors import DtledgerError
from ..types import Address, Digest
from .port import Receipt, Sent

MOST_GAS = 5_000_000
"""Of one call: 100 grants take 3,000,000. A signer may be a contract (ERC-1271), whose answer can cost anything."""

GWEI = 10**9
"""In wei."""


@dataclass(frozen=True)
class Carried:
    """A call that holds its signer's message, as bytes."""

    contract: str
    data: bytes

    @cached_property
    def id(self) -> Digest:
        """What it is known by: the same call is the same one, whoever brings it and how often."""
        return keccak(self.contract.encode() + b"\0" + self.data)


@dataclass(frozen=True, slots=True)
class Fees:
    """What transactions may offer: at most so much a gas, in wei; and for how many seconds one waits for its block
    until it offers more."""

    most: int = 500 * GWEI
    patience: int = 30


SAFE = Fees()
"""Of who said nothing else."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A transaction under way: in the form that it was sent in last, what it does, and when it was sent (unix
    seconds)."""

    sent: Sent
    to: Address
    data: bytes
    at: int


class Flights(Protocol):
    """Remembers transactions under way, over crashes too."""

    def of(self, sender: Address) -> Sequence[Flight]:
        """That account's, by nonce."""
        ...

    def note(self, sender: Address, flight: Flight) -> None:
        """It is about to be sent in another form."""
        ...


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a transaction: the block that took it (its events the history tells), and which of its calls
    were refused there, by their places. Without a receipt none of them landed: another transaction has its nonce, or it
    failed as a whole."""

    nonce: int
    receipt: Receipt | None
    refused: Mapping[int, DtledgerError]
    final: bool
    """No other chain can come in the place of that block."""


class Lane(Protocol):
    """One account's transactions."""

    @property
    def address(self) -> Address: ...

    @property
    def bumps(self) -> int:
        """Transactions that were sent again with a higher fee, since the start."""
        ...

    def try_out(self, calls: Sequence[Carried]) -> list[int | DtledgerError]:
        """The gas that each would take if all were carried now, or why it would be refused. Of as many, from the first,
        as can be tried out at once, one at least: what comes after may hang on what comes before.

        Raises:
            UnreachableError: the node does not answer.
        """
        ...

    def fit(self, calls: Sequence[Carried], gas: Sequence[int]) -> int:
        """How many of them, from the first, one transaction may carry; one at least."""
        ...

    def send(self, calls: Sequence[Carried], gas: Sequence[int], note: Callable[[Flight], None]) -> None:
        """Send them in one transaction, without waiting for its block. `note` is told before it is sent.

        Raises:
            LedgerRejection: the node does not take it; whoever was told may forget it.
            UnreachableError: the node does not answer. Whoever was told must not forget it: it may have been taken.
        """
        ...

    def look(self) -> list[Fate]:
        """What became of those under way that are in blocks or never will be. The others are sent again where the node
        lacks them, and with a higher fee where they are stuck.

        Raises:
            UnreachableError: the node does not answer.
        """
        ...

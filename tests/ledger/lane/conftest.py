"""A lane of the relay's account on a real node, its book of what is under way, and a clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from dtledger._backend.call_codec import encode_call
from dtledger._backend.evm_lane import EvmLane
from dtledger.ledger import calls, messages
from dtledger.ledger.lanes import Carried, Fate, Fees, Flight
from dtledger.types import Address
from tests.ledger.bench import Bench, who
from tests.ledger.conftest import Chain

PAYER = "carrier"


@dataclass
class Book:
    """`Flights` in memory. `settle` forgets what came to its end, as a relay does."""

    kept: dict[int, Flight] = field(default_factory=dict)
    landed: list[Fate] = field(default_factory=list)
    lost: list[Fate] = field(default_factory=list)

    def of(self, sender: Address) -> list[Flight]:
        return [self.kept[nonce] for nonce in sorted(self.kept)]

    def note(self, sender: Address, flight: Flight) -> None:
        self.kept[flight.sent.nonce] = flight

    def settle(self, fates: list[Fate]) -> None:
        for each in fates:
            if each.final:
                del self.kept[each.nonce]
                (self.lost if each.receipt is None else self.landed).append(each)


@dataclass
class Line:
    """A lane under test: `now` is its clock's."""

    bench: Bench
    chain: Chain
    book: Book
    lane: EvmLane
    twin: int
    now: list[int]

    def blocking(self, name: str, signer: str = "ann", count: int = 0, ahead: int = 1800) -> Carried:
        """The patient blocks somebody, by a message that is good so many seconds from the newest block's time on."""
        deadline = self.bench.ledger.head().at + ahead
        text = messages.block(self.bench.deployment, self.twin, who(name).address, count, deadline)
        call = calls.block_signed(self.twin, who(name).address, count, deadline, who(signer).sign_digest(text))
        return Carried(call.contract, encode_call(call))

    def send(self, *some: Carried) -> None:
        gas = [each if isinstance(each, int) else 100_000 for each in self.lane.try_out(some)]
        self.lane.send(some, gas, lambda flight: self.book.note(self.lane.address, flight))

    def look(self) -> None:
        self.book.settle(self.lane.look())

    def land(self) -> None:
        """Look until nothing is under way: a node that makes a block for each transaction does so soon."""
        for _ in range(1_000):
            self.look()
            if not self.book.kept:
                return

    def wait(self, seconds: int) -> None:
        self.now[0] += seconds

    def is_blocked(self, *names: str) -> list[int]:
        """How often each was blocked: a message that counted twice would show."""
        view = self.bench.ledger.view()
        return [view.block_count(self.twin, who(each).address) for each in names]

    def mine(self) -> None:
        self.chain.anvil.rpc("evm_mine")

    def drop(self, nonce: int) -> None:
        self.chain.anvil.rpc("anvil_dropTransaction", f"0x{self.book.kept[nonce].sent.hashes[-1].hex()}")


FOUR = ("bob", "hospital", "clinic", "clinician")


@pytest.fixture
def line(chain: Chain) -> Iterator[Line]:
    bench = chain.bench()
    twin = bench.mint("ann")
    book, now = Book(), [0]
    lane = EvmLane(bench.ledger, who(PAYER), book, Fees(patience=30), lambda: now[0])  # type: ignore[arg-type]
    yield Line(bench, chain, book, lane, twin, now)
    bench.ledger.close()


@pytest.fixture
def idle(line: Line) -> Iterator[Line]:
    """A chain that makes no block until it is told to, and whose pool holds nothing: going back forgets no pool."""
    line.bench.ledger.head()
    line.chain.anvil.rpc("anvil_dropAllTransactions")
    line.chain.anvil.rpc("evm_setAutomine", False)
    yield line
    line.chain.anvil.rpc("anvil_dropAllTransactions")
    line.chain.anvil.rpc("evm_setAutomine", True)

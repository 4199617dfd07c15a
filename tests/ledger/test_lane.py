"""Many transactions of one key at once, on a real node: whatever that forgets, refuses or takes back, each message
lands once and no nonce stays open. Each class says first what shall come of its fault."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from web3.eth import Eth
from web3.exceptions import Web3RPCError

from dtledger._backend import evm_lane, migrations
from dtledger._backend.anvil import Anvil
from dtledger._backend.call_codec import encode_call
from dtledger._backend.evm import EvmLedger
from dtledger._backend.evm_lane import EvmLane, FeeTooHighError
from dtledger.errors import DtledgerError, LedgerRejection
from dtledger.ledger import RELAY, Deployment, calls, messages
from dtledger.ledger.lanes import Carried, Fate, Fees, Flight
from dtledger.ledger.rejections import (
    InsufficientFundsError,
    RevertedError,
    StaleBlockCountError,
    WrongSignatureError,
)
from dtledger.types import Address
from tests.ledger.bench import GOVERNANCE_DELAY, RETIRE_DELAY, Bench, governance, who
from tests.ledger.conftest import Chain

pytestmark = pytest.mark.anvil

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

    def blocking(self, name: str, signer: str = "ann", count: int = 0) -> Carried:
        """The patient blocks somebody, by a message."""
        deadline = self.bench.ledger.head().at + 1800
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


class TestABatch:
    """Many calls in one transaction; a bad one is told with its own reason, and its neighbours land."""

    def test_lands_in_one_transaction(self, line: Line) -> None:
        line.send(*map(line.blocking, FOUR))
        line.land()
        (fate,) = line.book.landed
        assert (len(fate.refused), line.is_blocked(*FOUR)) == (0, [1, 1, 1, 1])
        assert {each.place.block for each in line.bench.ledger.history().logged[-4:]} == {fate.receipt.block}  # type: ignore[union-attr]

    def test_of_one_goes_without_the_relay(self, line: Line) -> None:
        line.send(line.blocking("bob"))
        assert line.book.kept[0].to == line.bench.deployment.contracts["ConsentRegistry"]
        line.land()
        assert line.is_blocked("bob") == [1]

    def test_of_one_that_was_tried_among_others_has_the_gas_that_it_takes_alone(self, line: Line) -> None:
        some = [*map(line.blocking, FOUR)]
        gas = line.lane.try_out(some)
        line.lane.send(some[-1:], gas[-1:], lambda flight: line.book.note(line.lane.address, flight))  # type: ignore[arg-type]
        line.land()
        assert line.is_blocked(FOUR[-1]) == [1]

    def test_is_tried_out_call_by_call(self, line: Line) -> None:
        some = [line.blocking("bob"), line.blocking("hospital", signer="bob"), line.blocking("clinic")]
        first, forged, last = line.lane.try_out(some)
        assert isinstance(forged, WrongSignatureError)
        assert isinstance(first, int)
        assert isinstance(last, int)
        (alone,) = line.lane.try_out(some[1:2])
        assert isinstance(alone, WrongSignatureError)

    def test_names_what_a_block_refused_and_why(self, line: Line) -> None:
        stale = line.blocking("hospital")
        line.bench.send(calls.block_grantee(line.twin, who("hospital").address), "ann")
        line.send(line.blocking("bob"), stale, line.blocking("clinic"))
        line.land()
        (fate,) = line.book.landed
        assert {place: type(error) for place, error in fate.refused.items()} == {1: StaleBlockCountError}
        assert line.is_blocked("bob", "hospital", "clinic") == [1, 1, 1]

    def test_of_one_that_a_block_refused_names_it_too(self, line: Line) -> None:
        stale = line.blocking("hospital")
        line.bench.send(calls.block_grantee(line.twin, who("hospital").address), "ann")
        line.send(stale)
        line.land()
        (fate,) = line.book.landed
        assert {place: type(error) for place, error in fate.refused.items()} == {0: StaleBlockCountError}

    @pytest.mark.parametrize("is_pruned", [False, True])
    def test_of_one_that_a_block_refused_is_told_though_the_node_forgot_why(
        self, line: Line, monkeypatch: pytest.MonkeyPatch, is_pruned: bool
    ) -> None:
        """A node keeps the state of some minutes. Else what was refused before a longer outage holds up all."""
        stale = line.blocking("hospital")
        line.bench.send(calls.block_grantee(line.twin, who("hospital").address), "ann")
        line.send(stale)

        def pruned(eth: Eth, *_: object) -> bytes:
            raise Web3RPCError("missing trie node")

        with monkeypatch.context() as later:
            if is_pruned:
                later.setattr(Eth, "call", pruned)
            line.land()
        (fate,) = line.book.landed
        assert {type(error) for error in fate.refused.values()} == {
            RevertedError if is_pruned else StaleBlockCountError
        }

    @pytest.mark.parametrize("size", [65, 40_000])
    def test_has_the_gas_that_its_bytes_must_have(self, line: Line, size: int) -> None:
        """EIP-7623; a contract's signature may be long (ERC-1271). Else the node refuses it, and its neighbours."""
        long = calls.block_signed(line.twin, who("bob").address, 0, line.bench.ledger.head().at + 1800, b"\1" * size)
        _, data, gas = line.lane._transaction([Carried(long.contract, encode_call(long))] * 2, [60_000] * 2)
        zeros = data.count(0)
        assert gas >= 21_000 + 10 * (zeros + 4 * (len(data) - zeros))

    def test_is_as_large_as_half_a_block_and_a_pool_allow(self, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        some = [line.blocking("bob")] * 400
        assert 100 < line.lane.fit(some, [50_000] * 400) < 400, "bytes"
        assert 2 <= line.lane.fit(some, [5_000_000] * 400) <= 3, "gas"
        assert line.lane.fit(some[:1], [50_000_000]) == 1, "one always"

    def test_that_takes_more_gas_than_a_block_is_tried_out_in_parts(
        self, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        line.lane.__dict__["_block_gas"] = 300_000
        tried = line.lane.try_out([*map(line.blocking, FOUR)] * 3)
        assert 0 < len(tried) < 12
        assert all(isinstance(each, int | LedgerRejection) for each in tried)

    @pytest.mark.parametrize("count", [1, 40])
    def test_that_is_larger_than_a_node_takes_is_tried_out_in_parts(self, line: Line, count: int) -> None:
        """Anybody names an owner and writes a long signature; whoever waits behind that must not wait for ever."""
        long = calls.block_signed(line.twin, who("bob").address, 0, line.bench.ledger.head().at + 1800, b"\1" * 60_000)
        waiting = [Carried(long.contract, encode_call(long))] * count + [line.blocking("bob")]
        while len(waiting) > 1:
            tried = line.lane.try_out(waiting)
            waiting = waiting[sum(isinstance(each, WrongSignatureError) for each in tried) :]
        assert waiting == [line.blocking("bob")]
        assert isinstance(line.lane.try_out(waiting)[0], int)

    @pytest.mark.parametrize("most", [2**18, 1_000])
    def test_in_parts_refuses_nothing_that_hangs_on_what_came_before(
        self, line: Line, monkeypatch: pytest.MonkeyPatch, most: int
    ) -> None:
        """Else whoever sends much before somebody's second message has that refused."""
        monkeypatch.setattr(evm_lane, "TRIED_BYTES", most)
        twice = [line.blocking("bob"), line.blocking("bob", count=1)]
        tried = line.lane.try_out(twice)
        assert all(isinstance(each, int) for each in tried)
        assert len(tried) == (2 if most > 1_000 else 1)

    def test_of_one_whose_signer_never_ends_is_refused_and_stops_nobody(self, line: Line) -> None:
        """A patient's account may be a contract (ERC-1271): this one runs in a circle until its gas is used up."""
        call = line.blocking("bob")
        line.chain.anvil.rpc("anvil_setCode", who("ann").address, "0x5b600056")
        (refused,) = line.lane.try_out([call])
        assert isinstance(refused, LedgerRejection)
        line.chain.anvil.rpc("anvil_setCode", who("ann").address, "0x")
        (good,) = line.lane.try_out([call])
        assert isinstance(good, int)

    def test_without_the_contract_is_one_call(self, line: Line) -> None:
        without = replace(
            line.bench.deployment,
            contracts={name: at for name, at in line.bench.deployment.contracts.items() if name != RELAY},
            code={name: at for name, at in line.bench.deployment.code.items() if name != RELAY},
        )
        with EvmLedger(line.chain.anvil.url, without) as ledger:
            lane = EvmLane(ledger, who(PAYER), line.book, Fees())
            some = [*map(line.blocking, FOUR)]
            assert all(isinstance(each, int) for each in lane.try_out(some))
            assert lane.fit(some, [50_000] * 4) == 1


class TestSeveralAtOnce:
    """Nonces follow one another, whether the node knows of those before or not; all land."""

    def test_have_one_nonce_after_another(self, idle: Line) -> None:
        for each in FOUR:
            idle.send(idle.blocking(each))
        first = min(idle.book.kept)
        assert [*idle.book.kept] == [first, first + 1, first + 2, first + 3]
        idle.look()
        assert not idle.book.landed
        idle.mine()
        idle.look()
        assert (len(idle.book.landed), idle.is_blocked(*FOUR)) == (4, [1, 1, 1, 1])

    def test_that_the_node_forgot_are_not_overtaken(self, idle: Line) -> None:
        idle.send(idle.blocking("bob"))
        (nonce,) = idle.book.kept
        idle.drop(nonce)
        idle.send(idle.blocking("hospital"))
        assert [*idle.book.kept] == [nonce, nonce + 1]


class TestADroppedTransaction:
    """The node's pool lost it. It is sent again under its own nonce, so that those behind it go on."""

    @pytest.mark.parametrize("which", [[0], [1], [0, 1, 2]], ids=["the first", "a middle one", "all"])
    def test_is_sent_again_and_all_land(self, idle: Line, which: list[int]) -> None:
        for each in FOUR[:3]:
            idle.send(idle.blocking(each))
        first = min(idle.book.kept)
        for each in which:
            idle.drop(first + each)
        for seconds in (3, 31, 31):  # Anvil leaves those behind the gap where they are, until they offer more
            idle.wait(seconds)
            idle.look()
            idle.mine()
        idle.look()
        assert idle.is_blocked(*FOUR[:3]) == [1, 1, 1]
        assert sorted(each.nonce for each in idle.book.landed) == [first, first + 1, first + 2]


class TestAStuckTransaction:
    """It offers more after `patience`, under the same nonce and up to `Fees.most`; one of its forms lands."""

    def test_offers_more_and_lands_once(self, idle: Line) -> None:
        idle.send(idle.blocking("bob"))
        (nonce,) = idle.book.kept
        before = idle.book.kept[nonce].sent
        for _ in range(3):
            idle.wait(31)
            idle.look()
        after = idle.book.kept[nonce].sent
        assert (after.nonce, len(after.hashes), idle.lane.bumps) == (before.nonce, 4, 3)
        assert after.fee > before.fee
        idle.mine()
        idle.look()
        assert (len(idle.book.landed), idle.is_blocked("bob")) == (1, [1])

    def test_offers_no_more_than_it_may(self, idle: Line) -> None:
        idle.send(idle.blocking("bob"))
        (flight,) = idle.book.kept.values()
        idle.lane._fees = Fees(most=flight.sent.fee + 1, patience=30)
        idle.wait(31)
        idle.look()
        assert idle.book.kept[flight.sent.nonce].sent == flight.sent
        idle.lane._fees = Fees(most=flight.sent.fee * 2, patience=30)
        idle.look()
        assert idle.lane.bumps == 1

    def test_is_not_sent_at_all_on_a_chain_that_asks_too_much(self, idle: Line) -> None:
        fees = idle.lane._fees
        idle.lane._fees = Fees(most=1, patience=30)
        with pytest.raises(FeeTooHighError):
            idle.send(idle.blocking("bob"))
        assert not idle.book.kept
        idle.lane._fees = fees
        idle.send(idle.blocking("bob"))
        assert idle.book.kept


class TestWhatANodeSays:
    """That it has a transaction already, a later nonce or a better offer is no failure; anything else at first is."""

    @pytest.mark.parametrize(
        "said",
        ["already known", "nonce too low", "replacement transaction underpriced", "transaction already imported"],
    )
    def test_of_one_that_it_has_is_no_error(self, line: Line, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
        real = Eth.send_raw_transaction

        def twice(eth: Eth, transaction: bytes) -> None:
            real(eth, transaction)
            raise Web3RPCError(said)

        with monkeypatch.context() as saying:
            saying.setattr(Eth, "send_raw_transaction", twice)
            line.send(line.blocking("bob"))
        line.land()
        assert (len(line.book.landed), line.is_blocked("bob")) == (1, [1])

    def test_itself_when_it_is_given_one_again_is_understood(self, idle: Line) -> None:
        idle.send(idle.blocking("bob"))
        (flight,) = idle.book.kept.values()
        idle.lane._put(flight, idle.lane._note)
        cheaper = replace(flight, sent=replace(flight.sent, fee=flight.sent.fee + 1))
        idle.lane._put(cheaper, idle.lane._note)
        idle.mine()
        idle.lane._put(idle.book.kept[flight.sent.nonce], idle.lane._note)
        idle.look()
        assert (len(idle.book.landed), idle.is_blocked("bob")) == (1, [1])

    def test_of_an_account_without_money_is_told(self, line: Line) -> None:
        line.chain.anvil.rpc("anvil_setBalance", who(PAYER).address, "0x0")
        with pytest.raises(InsufficientFundsError):
            line.lane.send([line.blocking("bob")], [60_000], lambda flight: None)
        line.chain.anvil.rpc("anvil_setBalance", who(PAYER).address, hex(10**21))
        line.send(line.blocking("bob"))
        line.land()
        assert line.is_blocked("bob") == [1]


class TestANonceThatAnotherTook:
    """The transaction never lands, and whoever asks is told: its calls go in another, and land once."""

    def test_is_lost_and_carried_by_the_next(self, idle: Line) -> None:
        call = idle.blocking("bob")
        idle.send(call)
        (nonce,) = idle.book.kept
        idle.drop(nonce)
        idle.chain.anvil.rpc("evm_setAutomine", True)
        idle.bench.ledger.heartbeat(who(PAYER))
        idle.look()
        assert [each.nonce for each in idle.book.lost] == [nonce]
        idle.send(call)
        idle.land()
        assert (len(idle.book.landed), idle.is_blocked("bob")) == (1, [1])


class TestABlockThatIsTakenBack:
    """A reorganisation: what was in the block is sent again under its own nonce, and lands once. Until its block is
    final a transaction is looked after."""

    def test_is_sent_again(self, line: Line) -> None:
        line.lane._ledger = EvmLedger(line.chain.anvil.url, line.bench.deployment, instant=False)
        mark = line.chain.anvil.rpc("evm_snapshot")
        line.send(line.blocking("bob"), line.blocking("hospital"))
        while not (fates := line.lane.look()):
            pass
        (fate,) = fates
        assert (fate.final, line.is_blocked("bob", "hospital")) == (False, [1, 1])
        line.chain.anvil.rpc("evm_revert", mark)
        assert line.is_blocked("bob", "hospital") == [0, 0]
        line.wait(3)
        while not (fates := line.lane.look()):
            pass
        (again,) = fates
        assert (again.nonce, line.is_blocked("bob", "hospital")) == (fate.nonce, [1, 1])
        line.chain.anvil.rpc("anvil_mine", "0x40")
        line.land()
        assert len(line.book.landed) == 1
        line.lane._ledger.close()

    def test_is_not_taken_for_lost_where_blocks_are_final_at_once(self, line: Line) -> None:
        line.send(line.blocking("bob"))
        line.land()
        assert (len(line.book.landed), len(line.book.kept)) == (1, 0)


@pytest.mark.slow
class TestANodeThatDies:
    """Killed between send and receipt, it comes back with the state that it had written, and no pool: what was under
    way is sent again, and lands once."""

    def test_comes_back_without_its_pool(self, tmp_path: Path) -> None:
        with Anvil(tmp_path / "anvil", state_interval=3600) as anvil:
            for name in ("deployer", "minter", PAYER, "ann"):
                anvil.fund(who(name).address, 1000)
            plan = migrations.Plan(governance(), lambda _: [], GOVERNANCE_DELAY, RETIRE_DELAY)
            deployment = migrations.run(anvil.url, who("deployer"), plan, tmp_path / "deployments").deployment()
            chain = Chain(anvil, deployment, tmp_path)
            bench = chain.bench()
            twin = bench.mint("ann")
            anvil.stop()
            anvil.start()  # its state is written
            book = Book()
            lane = EvmLane(bench.ledger, who(PAYER), book, Fees(patience=30), lambda: 0)  # type: ignore[arg-type]
            line = Line(bench, chain, book, lane, twin, [0])
            anvil.rpc("evm_setAutomine", False)
            for each in FOUR[:2]:
                line.send(line.blocking(each))
            assert anvil.pid is not None
            os.kill(anvil.pid, signal.SIGKILL)
            with pytest.raises(DtledgerError):
                line.look()
            anvil.start()
            lane._clock = lambda: 3
            line.land()
            line.land()
            assert (len(book.landed), line.is_blocked(*FOUR[:2])) == (2, [1, 1])
            bench.ledger.close()


def test_a_deployment_of_before_gets_the_contract_by_another_run(tmp_path: Path, deployed: Chain) -> None:
    """An older record is finished without it, and its operator's next `dtledger deploy` adds it."""
    (record,) = (deployed.folder / "deployments").glob("*.json")
    journal = migrations.read_journal(record)
    del journal.contracts[RELAY], journal.code[RELAY], journal.steps[RELAY]
    journal.path = tmp_path / record.name
    journal.save()
    assert RELAY not in migrations.read_deployment(journal.path).contracts
    plan = migrations.Plan(governance(), lambda _: [], GOVERNANCE_DELAY, RETIRE_DELAY)
    made: Deployment = migrations.run(deployed.anvil.url, who("deployer"), plan, tmp_path).deployment()
    assert made.contracts[RELAY] != deployed.deployment.contracts[RELAY]
    assert made.code[RELAY] == deployed.deployment.code[RELAY]

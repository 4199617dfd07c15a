"""Many transactions of one key at once, on a real node: whatever that forgets, refuses or takes back, each message
lands once and no nonce stays open. Each class says first what shall come of its fault."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from web3.eth import Eth
from web3.exceptions import Web3RPCError

from dtledger._backend import migrations
from dtledger._backend.anvil import Anvil
from dtledger._backend.evm import EvmLedger
from dtledger._backend.evm_lane import EvmLane, FeeTooHighError
from dtledger.errors import DtledgerError
from dtledger.ledger import Sent
from dtledger.ledger.lanes import Fees
from dtledger.ledger.rejections import InsufficientFundsError
from tests.ledger.bench import GOVERNANCE_DELAY, RETIRE_DELAY, governance, who
from tests.ledger.conftest import Chain
from tests.ledger.lane.conftest import FOUR, PAYER, Book, Line

pytestmark = pytest.mark.anvil


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


class TestANonceThatNobodyHas:
    """The transaction waits behind one that is nobody's: another process of the same key sent one of which the node
    knows no more, or the node said a wrong number. No block will ever take it. Its calls go in another, and land once.
    """

    def test_of_another_process_that_the_node_forgot_keeps_nothing(self, idle: Line) -> None:
        ledger, payer = idle.bench.ledger, who(PAYER)
        nonce = ledger.next_nonce(payer)
        theirs, _ = ledger.sign({"to": payer.address, "data": b""}, payer, Sent(nonce, 21_000, 10**10, 10**9, ()))
        mark = ledger.web3.eth.send_raw_transaction(theirs)
        some = [idle.blocking(each) for each in FOUR]
        for each in some:
            idle.send(each)
        assert min(idle.book.kept) == nonce + 1
        idle.chain.anvil.rpc("anvil_dropTransaction", f"0x{bytes(mark).hex()}")
        idle.mine()
        idle.look()
        assert not idle.book.lost
        idle.wait(31)
        idle.look()
        assert [each.nonce for each in idle.book.lost] == [nonce + 1 + each for each in range(4)]
        idle.send(*some)
        assert [*idle.book.kept] == [nonce]
        idle.mine()
        idle.look()
        assert idle.is_blocked(*FOUR) == [1, 1, 1, 1]

    def test_by_a_node_s_lie_keeps_nothing(self, idle: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        call = idle.blocking("bob")
        nonce = idle.bench.ledger.next_nonce(who(PAYER))
        with monkeypatch.context() as lying:
            lying.setattr(EvmLedger, "next_nonce", lambda *_: 10**12)
            idle.send(call)
        idle.wait(31)
        idle.look()
        assert [each.nonce for each in idle.book.lost] == [10**12]
        idle.send(call)
        assert [*idle.book.kept] == [nonce]
        idle.mine()
        idle.look()
        assert idle.is_blocked("bob") == [1]

    def test_is_not_one_of_ours_that_the_node_forgot(self, idle: Line) -> None:
        """Not even where that is not due to be sent again yet."""
        idle.send(idle.blocking("bob"))
        (nonce,) = idle.book.kept
        idle.send(idle.blocking("hospital"))
        idle.wait(31)
        idle.book.kept[nonce] = replace(idle.book.kept[nonce], at=31)
        idle.drop(nonce)
        idle.look()
        assert not idle.book.lost
        idle.wait(3)
        idle.look()
        idle.mine()
        idle.look()
        assert idle.is_blocked("bob", "hospital") == [1, 1]


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

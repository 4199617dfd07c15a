"""What a lane sends together: in one transaction if it can, tried out call by call, no larger than is taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from web3.eth import Eth
from web3.exceptions import Web3RPCError

from dtledger._backend import evm_lane, migrations
from dtledger._backend.call_codec import encode_call
from dtledger._backend.evm import EvmLedger
from dtledger._backend.evm_lane import EvmLane
from dtledger.errors import InputError, LedgerRejection
from dtledger.ledger import RELAY, Deployment, calls
from dtledger.ledger.lanes import Carried, Fees
from dtledger.ledger.rejections import RevertedError, StaleBlockCountError, WrongSignatureError
from tests.ledger.bench import GOVERNANCE_DELAY, RETIRE_DELAY, governance, who
from tests.ledger.conftest import Chain
from tests.ledger.lane.conftest import FOUR, PAYER, Line

pytestmark = pytest.mark.anvil


@contextmanager
def small_blocks(chain: Chain) -> Iterator[None]:
    """Blocks in which no call has room."""
    usual = chain.anvil.rpc("eth_getBlockByNumber", "latest", False)["gasLimit"]
    chain.anvil.rpc("evm_setBlockGasLimit", hex(60_000))
    chain.anvil.rpc("evm_mine")
    try:
        yield
    finally:
        chain.anvil.rpc("evm_setBlockGasLimit", usual)
        chain.anvil.rpc("evm_mine")


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
        assert 100 < line.lane.fit(some, [0] * 400) < 250, "bytes: by gas there would be room for more"
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

    @pytest.mark.parametrize("beside", [[], ["hospital"]], ids=["alone", "before another"])
    def test_of_one_that_takes_more_than_a_block_is_refused_and_stops_nobody(
        self, line: Line, beside: list[str]
    ) -> None:
        """Whoever waits behind it must not wait for ever. What a block can take is tried out as before."""
        some = [line.blocking("bob"), *map(line.blocking, beside)]
        with small_blocks(line.chain):
            (refused,) = line.lane.try_out(some)
        assert isinstance(refused, InputError)
        assert all(isinstance(each, int) for each in line.lane.try_out(some))

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

"""What only a real node can do to a ledger: be another chain, forget blocks, start anew, fail in the block."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from web3.exceptions import Web3RPCError

from dtledger._backend import migrations
from dtledger._backend.anvil import Anvil
from dtledger._backend.artifacts import spelled_out
from dtledger._backend.evm import EvmLedger
from dtledger._backend.log_cache import LogCache
from dtledger._backend.postgresql import Server
from dtledger.encoding import address
from dtledger.errors import ChainMismatchError, InputError, UnreachableError
from dtledger.ledger import Ledger, calls
from dtledger.ledger.rejections import (
    InsufficientFundsError,
    RevertedError,
    StaleVersionError,
    UnauthorizedError,
)
from dtledger.testing import MemoryKey
from dtledger.types import Digest
from tests.ledger.bench import GOVERNANCE_DELAY, PEOPLE, RETIRE_DELAY, Bench, digest, governance, who
from tests.ledger.conftest import Chain

pytestmark = pytest.mark.anvil


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "logs.db"


@pytest.fixture
def bench(chain: Chain, cache: Path) -> Iterator[Bench]:
    """A real ledger whose logs are kept in a file."""
    bench = chain.bench(cache)
    yield bench
    bench.ledger.close()


def seen(cache: Path | Server) -> int:
    """How many logs are kept there."""
    kept = LogCache(cache)
    try:
        return len(list(kept.since(-1)))
    finally:
        kept.close()


class TestTheLogCache:
    def test_serves_the_next_process(self, chain: Chain, bench: Bench, cache: Path) -> None:
        bench.ledger.history()
        before = seen(cache)
        bench.mint("ann")
        logged = bench.ledger.history().logged
        assert seen(cache) == before + 2  # Transfer and Locked
        again = chain.bench(cache)
        assert again.ledger.history().logged == logged
        again.ledger.close()

    def test_is_thrown_away_when_the_chain_went_back(self, chain: Chain, bench: Bench, cache: Path) -> None:
        bench.mint("ann")
        logged, before = [*bench.ledger.history().logged], seen(cache)
        mark = chain.anvil.rpc("evm_snapshot")
        bench.grant(1, "clinician")
        assert (len(bench.ledger.history().logged), seen(cache)) == (len(logged) + 1, before + 1)
        chain.anvil.rpc("evm_revert", mark)
        assert bench.ledger.history().logged == logged
        assert not bench.view.grant(who("ann").address, 1, who("clinician").address, 0).given
        assert seen(cache) == before

    def test_is_thrown_away_when_another_block_took_the_place_of_one(
        self, chain: Chain, bench: Bench, cache: Path
    ) -> None:
        bench.mint("ann")
        mark = chain.anvil.rpc("evm_snapshot")
        bench.grant(1, "clinician")
        bench.send(calls.revoke_all(1), "ann")
        assert bench.view.epoch(who("ann").address, 1) == 1
        chain.anvil.rpc("evm_revert", mark)
        other = chain.bench()
        for number in range(3):
            other.grant(1, "bob", number)
        assert bench.ledger.history().logged == other.ledger.history().logged
        assert bench.view.epoch(who("ann").address, 1) == 0
        assert [record.slot.grantee for record in bench.view.records(who("ann").address, 1)] == [who("bob").address] * 3
        other.ledger.close()

    def test_of_a_chain_that_went_back_meanwhile_is_not_believed(self, chain: Chain, cache: Path) -> None:
        mark = chain.anvil.rpc("evm_snapshot")
        first = chain.bench(cache)
        before = [*first.ledger.history().logged]
        first.mint("ann")
        first.ledger.history()
        first.ledger.close()
        chain.anvil.rpc("evm_revert", mark)
        second = chain.bench(cache)
        assert second.ledger.history().logged == before
        second.mint("bob")
        assert second.view.owner(1) == who("bob").address
        second.ledger.close()

    def test_may_be_shared_by_two_at_once(self, chain: Chain, bench: Bench, cache: Path) -> None:
        other = chain.bench(cache)
        for number in range(2):
            bench.mint("ann", number)
            assert bench.ledger.history().logged == other.ledger.history().logged
        other.ledger.close()


class TestIdentity:
    def test_a_node_of_another_genesis_is_refused(self, chain: Chain, tmp_path: Path) -> None:
        with Anvil(tmp_path / "other") as other:
            ledger = EvmLedger(other.url, chain.deployment)
            self.refused(ledger, "The node serves chain 31337 with genesis")
        right = EvmLedger(chain.anvil.url, chain.deployment)
        right.head()
        right.close()

    def test_a_node_of_another_chain_id_is_refused(self, chain: Chain) -> None:
        self.refused(EvmLedger(chain.anvil.url, replace(chain.deployment, chain_id=1)), "the deployment is on chain 1")

    def test_other_code_than_the_deployments_is_refused(self, chain: Chain) -> None:
        registry = chain.deployment.contracts["ConsentRegistry"]
        code = chain.anvil.rpc("eth_getCode", registry, "latest")
        chain.anvil.rpc("anvil_setCode", registry, code[:-2] + "00")
        self.refused(EvmLedger(chain.anvil.url, chain.deployment), "The code of ConsentRegistry")
        chain.anvil.rpc("anvil_setCode", registry, code)
        mended = EvmLedger(chain.anvil.url, chain.deployment)
        mended.head()
        mended.close()

    def refused(self, ledger: Ledger, message: str) -> None:
        uses = (ledger.head, ledger.history, ledger.view, lambda: ledger.send(calls.revoke_all(1), who("ann")))
        for use in uses:
            with pytest.raises(ChainMismatchError, match=message):
                use()
        ledger.close()

    def test_a_chain_that_started_anew_is_noticed_in_mid_use(self, tmp_path: Path) -> None:
        """Anvil forgets an unsaved chain, and the next one answers at the same port with the same chain id."""
        first = Anvil(tmp_path / "first", state_interval=3600)
        with first as anvil:
            port = int(anvil.url.rsplit(":", 1)[1])
            deployment = deploy(anvil, tmp_path / "deployments")
            ledger = EvmLedger(anvil.url, deployment)
            before = [*ledger.history().logged]
        with Anvil(tmp_path / "second", port=port), pytest.raises(ChainMismatchError):
            ledger.history()
        with first:
            assert ledger.history().logged == before
        ledger.close()

    def test_the_state_that_is_final_is_the_head_s_or_as_old_as_the_node_says(self, chain: Chain) -> None:
        """Anvil calls a block final when two epochs of 32 blocks have come after it."""
        with (
            EvmLedger(chain.anvil.url, chain.deployment) as ledger,
            EvmLedger(chain.anvil.url, chain.deployment, instant=False) as waiting,
        ):
            before = ledger.head()
            sent = ledger.send(calls.anchor_batch(Digest(b"\1" * 32), 1, Digest(bytes(32))), who("ann"))
            chain.anvil.rpc("anvil_mine", "0x3f")
            tip = waiting.tip()
            assert (tip.view.block, tip.final.block) == (sent.block + 63, before.number)
            assert [each.batch(who("ann").address, Digest(b"\1" * 32)) is None for each in (tip.view, tip.final)] == [
                False,
                True,
            ]
            assert ledger.tip().final.block == ledger.tip().head.number == sent.block + 63
            chain.anvil.rpc("anvil_mine", "0x1")
            assert waiting.tip().final.batch(who("ann").address, Digest(b"\1" * 32)) is not None

    def test_a_node_that_knows_no_final_block_is_told_from_one_that_is_down(
        self, chain: Chain, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with EvmLedger(chain.anvil.url, chain.deployment, instant=False) as ledger:
            ledger.head()
            ask = type(ledger.web3.eth).get_block

            def refuse(eth: object, which: object) -> object:
                if which == "finalized":
                    raise Web3RPCError("Unknown block tag")
                return ask(ledger.web3.eth, which)

            monkeypatch.setattr(ledger.web3.eth, "get_block", refuse.__get__(ledger.web3.eth))
            with pytest.raises(UnreachableError, match="config set finality instant"):
                ledger.tip()

    def test_a_node_that_is_down_is_unreachable(self, chain: Chain) -> None:
        ledger = EvmLedger("http://127.0.0.1:9", chain.deployment)
        for use in (ledger.head, ledger.history, lambda: ledger.heartbeat(who("ann"))):
            with pytest.raises(UnreachableError):
                use()
        ledger.close()


def deploy(anvil: Anvil, folder: Path) -> migrations.Deployment:
    for name in PEOPLE:
        anvil.fund(who(name).address, 1000)
    plan = migrations.Plan(governance(), lambda _: [], GOVERNANCE_DELAY, RETIRE_DELAY)
    return migrations.run(anvil.url, who("deployer"), plan, folder).deployment()


class TestADeployment:
    @pytest.mark.parametrize("last", ["SnapshotLedger", "minter-may-mint", "deployer-adds-kinds-no-more"])
    def test_is_refused_until_its_deployer_holds_no_role(self, tmp_path: Path, last: str) -> None:
        class Stop(Exception):
            """What kills the deployment after a step."""

        def stop(step: migrations.Step, _: int) -> None:
            if step.name == last:
                raise Stop

        with Anvil(tmp_path / "anvil") as anvil:
            for name in PEOPLE:
                anvil.fund(who(name).address, 1000)
            plan = migrations.Plan(governance(), lambda _: [], GOVERNANCE_DELAY, RETIRE_DELAY)
            with pytest.raises(Stop):
                migrations.run(anvil.url, who("deployer"), plan, tmp_path / "deployments", stop)
            (record,) = (tmp_path / "deployments").glob("*.json")
            with pytest.raises(InputError, match="not finished"):
                migrations.read_deployment(record)
            unfinished = EvmLedger(anvil.url, migrations.read_journal(record).deployment())
            with pytest.raises(ChainMismatchError, match="not finished"):
                unfinished.head()
            unfinished.close()

            deployment = migrations.run(anvil.url, who("deployer"), plan, tmp_path / "deployments").deployment()
            assert migrations.read_deployment(record) == deployment
            finished = EvmLedger(anvil.url, deployment)
            finished.head()
            finished.close()

    def test_of_an_older_version_goes_on_with_the_contracts_that_it_lacks(self, tmp_path: Path) -> None:
        with Anvil(tmp_path / "anvil") as anvil:
            whole = deploy(anvil, tmp_path / "deployments")
            (record,) = (tmp_path / "deployments").glob("*.json")
            older = json.loads(record.read_text())
            for part in ("contracts", "code", "steps"):
                del older[part]["ModelLedger"]
            record.write_text(json.dumps(older))
            with pytest.raises(InputError, match="not finished"):
                migrations.read_deployment(record)

            later = deploy(anvil, tmp_path / "deployments")
            assert migrations.read_deployment(record) == later
            assert later.contracts.items() > older["contracts"].items()
            assert later.contracts["ModelLedger"] != whole.contracts["ModelLedger"]
            ledger = EvmLedger(anvil.url, later)
            ledger.head()
            ledger.close()

    def test_leaves_its_deployer_nothing(self, bench: Bench) -> None:
        fields = bench.member_card("ann")
        signed = bench.signed_card(fields, "ann")
        deployer = who("deployer").address
        bench.refuses(UnauthorizedError, calls.enrol(fields, signed, b"", 0), "deployer", caller=deployer)
        bench.send(calls.enrol(fields, signed, b"", 0), "registrar")


class TestATransaction:
    def test_that_fails_in_its_block_says_why(self, chain: Chain, bench: Bench) -> None:
        """Two carry one card: both would succeed when they look, and the second one's block refuses it."""
        bench.enrol("clinician")
        fields = bench.member_card("clinician", version=1)
        call = calls.update_card(fields, bench.signed_card(fields, "clinician"))
        to, data = spelled_out(bench.deployment, call)
        first = chain.bench()

        def overtake(*_: object) -> None:
            first.send(call, "ann")

        with pytest.raises(StaleVersionError) as caught:
            bench.ledger.send_raw({"to": to, "data": data}, who("carrier"), before_sending=overtake)  # type: ignore[attr-defined]
        assert caught.value.evidence == {"named": 1, "present": 2}
        first.ledger.close()

    def test_of_one_key_may_be_sent_by_many_threads_at_once(self, bench: Bench) -> None:
        roots = [calls.anchor_batch(digest(number), 1, digest("index")) for number in range(8)]
        with ThreadPoolExecutor(4) as pool:
            receipts = list(pool.map(lambda call: bench.ledger.send(call, who("gateway")), roots))
        assert len({receipt.transaction for receipt in receipts}) == 8

    def test_of_a_poor_account_is_refused_as_such(self, chain: Chain, bench: Bench) -> None:
        poor = MemoryKey("poor")
        with pytest.raises(InsufficientFundsError):
            bench.ledger.heartbeat(poor)
        chain.anvil.fund(poor.address, 1)
        bench.ledger.heartbeat(poor)

    def test_that_no_contract_of_ours_refuses_is_reverted(self, chain: Chain, bench: Bench) -> None:
        nowhere = address("0x00000000000000000000000000000000000c0de1")
        chain.anvil.rpc("anvil_setCode", nowhere, "0x60006000fd")
        with pytest.raises(RevertedError):
            bench.ledger.send_raw({"to": nowhere, "data": b"\1\2\3\4"}, who("ann"))  # type: ignore[attr-defined]

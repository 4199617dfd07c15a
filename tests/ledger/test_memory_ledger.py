"""What the ledger in memory does to order: stand still, lie low, be another; and its nodes, which share one chain."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from dtledger.errors import ChainMismatchError, UnreachableError
from dtledger.ledger import Call, calls
from dtledger.ledger.rejections import EmptyBatchError
from dtledger.policy import Grant
from dtledger.testing import Clock, MemoryChain, MemoryLedger
from dtledger.vocabulary import Kind
from tests.ledger.bench import Bench, digest, governance, memory_bench, who
from tests.ledger.test_ledger_port import read

ANCHOR = calls.anchor_batch(digest("root"), 1, digest("index"))


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(MemoryChain(governance()))


class TestANode:
    def test_sees_what_another_sent(self, ledger: MemoryLedger) -> None:
        other = ledger.node()
        other.send(ANCHOR, who("gateway"))
        assert ledger.head() == other.head()
        assert ledger.history().logged == other.history().logged
        assert ledger.view().batch(who("gateway").address, digest("root"))

    def test_has_faults_of_its_own(self, ledger: MemoryLedger) -> None:
        other = ledger.node()
        other.unreachable = True
        with pytest.raises(UnreachableError):
            other.head()
        assert ledger.head().number == 0

    def test_that_is_frozen_sees_no_new_block_and_has_none_made(self, ledger: MemoryLedger) -> None:
        frozen = ledger.node()
        frozen.freeze()
        ledger.send(ANCHOR, who("gateway"))
        assert (ledger.head().number, frozen.head().number) == (1, 0)
        assert frozen.history().logged == []
        assert frozen.view().newest_batch(who("gateway").address) is None
        for send in (lambda: frozen.send(ANCHOR, who("ann")), lambda: frozen.heartbeat(who("ann"))):
            with pytest.raises(UnreachableError, match="No block took"):
                send()
        frozen.thaw()
        assert frozen.view().newest_batch(who("gateway").address)
        frozen.heartbeat(who("ann"))

    @pytest.mark.parametrize(
        ("fault", "error"), [("unreachable", UnreachableError), ("other_chain", ChainMismatchError)]
    )
    def test_that_fails_fails_everywhere_until_it_is_mended(
        self, ledger: MemoryLedger, fault: str, error: type[Exception]
    ) -> None:
        uses = (
            ledger.head,
            ledger.history,
            ledger.view,
            lambda: ledger.check(read(), 0, 0),
            lambda: ledger.send(ANCHOR, who("ann")),
            lambda: ledger.heartbeat(who("ann")),
        )
        setattr(ledger, fault, True)
        for use in uses:
            with pytest.raises(error):
                use()
        setattr(ledger, fault, False)
        for use in uses:
            use()


class TestTheChain:
    def test_moves_with_its_clock_and_never_back(self) -> None:
        clock = Clock(1000)
        ledger = MemoryLedger(MemoryChain({}, clock=clock))
        clock.advance(50)
        assert ledger.heartbeat(who("ann")).at == 1050
        clock.at = 10
        assert ledger.heartbeat(who("ann")).at == 1050

    def test_makes_empty_blocks_when_told(self, ledger: MemoryLedger) -> None:
        hashes = {ledger.head().hash} | {ledger.mine().hash for _ in range(3)}
        assert (ledger.head().number, len(hashes)) == (3, 4)

    def test_forgets_all_that_a_refused_call_wrote(self) -> None:
        bench = memory_bench(Clock())
        bench.grant(1, "clinician")
        before = dict(bench.ledger.chain.storage)  # type: ignore[attr-defined]
        bad = calls.anchor_batch(digest("root"), 0, digest("index"))
        bench.refuses(EmptyBatchError, bad, "ann")
        many = [calls.Recipient(who("bob").address, number, digest("package")) for number in (0, 1, 8)]
        with pytest.raises(Exception, match="number"):
            bench.send(calls.grant_many(1, _terms(bench), many), "ann")
        assert bench.ledger.chain.storage == before  # type: ignore[attr-defined]

    def test_takes_calls_from_many_threads(self, ledger: MemoryLedger) -> None:
        roots = [calls.anchor_batch(digest(number), 1, digest("index")) for number in range(40)]
        with ThreadPoolExecutor(8) as pool:
            receipts = list(pool.map(lambda call: ledger.send(call, who("gateway")), roots))
        assert sorted(receipt.block for receipt in receipts) == list(range(1, 41))
        assert len(ledger.view().batches(who("gateway").address)) == 40

    def test_of_another_time_has_another_genesis(self) -> None:
        assert MemoryChain({}).deployment.id != MemoryChain({}).deployment.id

    def test_enrols_founders_whatever_their_kinds(self, ledger: MemoryLedger) -> None:
        bench = Bench(ledger, Clock(), lambda at: None, lambda *_: None)
        fields = bench.member_card("clinician")
        kinds = Kind.CUSTODIAN.mask | Kind.CLINICIAN.mask
        ledger.chain.enrol_founder(fields, bench.signed_card(fields, "clinician"), b"", kinds)
        member = ledger.view().member(who("clinician").address)
        assert member is not None
        assert member.kinds == kinds

    def test_knows_its_roles(self) -> None:
        with pytest.raises(ValueError, match="OWNER"):
            MemoryChain({"OWNER": [who("ann").address]})

    def test_says_that_its_roles_stay(self, ledger: MemoryLedger) -> None:
        changing = Call("AccessManager", "grantRole", (1, who("ann").address, 0))
        with pytest.raises(LookupError, match="keeps the roles"):
            ledger.send(calls.schedule(changing), who("admin"))


def _terms(bench: Bench) -> Grant:
    return bench.view.grant(who("ann").address, 1, who("clinician").address, 0).terms

"""An index in PostgreSQL is the one that a file holds, by the same tests and by its digest; processes share it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from dtledger._backend import index
from dtledger._backend.evm_reader import EvmReader
from dtledger._backend.log_cache import LogCache, RawLog
from dtledger._backend.postgresql import Server
from dtledger._backend.proof_file import ProofFile
from dtledger.errors import IntegrityError, UnreachableError
from dtledger.ledger import Deployment
from dtledger.types import Address, Digest
from tests.ledger import test_evm_ledger as on_a_file
from tests.ledger.bench import Bench
from tests.ledger.conftest import Chain
from tests.ledger.test_evm_ledger import seen
from tests.postgres import Cluster

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

LOGS = [RawLog(block, place, 1000 + block, bytes([block]) * 64, b"data") for block in range(1, 4) for place in (0, 3)]


@pytest.fixture
def cache(cluster: Cluster) -> Server:
    place = index.place(cluster.url, Path("ledger-cache/31337-0123456789abcdef-01234567.db"))
    assert isinstance(place, Server)
    return place


@pytest.fixture
def bench(chain: Chain, cache: Server) -> Iterator[Bench]:
    """A real ledger whose logs are kept there."""
    bench = chain.bench(cache)
    yield bench
    bench.ledger.close()


@pytest.mark.anvil
class TestTheLogCache(on_a_file.TestTheLogCache):
    """The same tests."""


@pytest.fixture
def logs(cache: Server) -> Iterator[LogCache]:
    with closing(LogCache(cache)) as logs:
        yield logs


def test_it_gives_back_what_it_was_given_in_the_chains_order(logs: LogCache, cache: Server) -> None:
    assert (logs.seen(), list(logs.since(-1))) == (None, [])
    logs.extend(reversed(LOGS), 3, b"three")
    logs.extend(LOGS[-1:], 4, b"four")
    with closing(LogCache(cache)) as again:
        assert (again.seen(), list(again.since(-1)), list(again.since(2))) == ((4, b"four"), LOGS, LOGS[4:])
        again.clear()
    assert (logs.seen(), list(logs.since(-1))) == (None, [])


def test_processes_that_read_the_same_blocks_at_once_leave_one_end(cache: Server) -> None:
    def read(_: int) -> None:
        with closing(LogCache(cache)) as logs:
            for block in (1, 2, 3):
                logs.extend([each for each in LOGS if each.block == block], block, bytes([block]))

    with ThreadPoolExecutor(4) as readers:
        list(readers.map(read, range(4)))
    with closing(LogCache(cache)) as logs:
        assert list(logs.since(-1)) == LOGS
        assert logs._database.execute("SELECT COUNT(*) FROM seen").fetchone() == (1,)


def test_one_of_another_form_is_begun_anew(logs: LogCache, cache: Server, cluster: Cluster) -> None:
    logs.extend(LOGS, 3, b"three")
    logs.close()
    cluster.execute(f'UPDATE "{cache.schema}".about SET version = 0')
    with closing(LogCache(cache)) as again:
        assert again.seen() is None


def test_a_server_that_is_away_is_an_error_until_it_is_back(logs: LogCache, cluster: Cluster) -> None:
    logs.extend(LOGS, 3, b"three")
    cluster.stop()
    try:
        with pytest.raises(UnreachableError) as refused:
            logs.seen()
        assert refused.value.exit_code == 6
    finally:
        cluster.start()
    assert list(logs.since(-1)) == LOGS


def test_proofs_lie_beside_it_and_outlive_it(cluster: Cluster, logs: LogCache, cache: Server) -> None:
    proofs = Server(cluster.url, "dtledger_proofs_1")
    with closing(ProofFile(proofs)) as file:
        file.keep(7, Digest(bytes(32)), [b"one", b"two"])
        file.keep(7, Digest(b"\1" * 32), [b"two"])
    index._forget(cache)
    with closing(ProofFile(proofs)) as file, closing(ProofFile(None)) as former:
        assert file.blocks() == {7: Digest(b"\1" * 32)}
        assert sorted(file.nodes()) == [b"one", b"two"]
        for number, nodes in ((5, [b"two", b"three"]), (6, [b"four"])):
            former.keep(number, Digest(bytes(32)), nodes)
        for _ in range(2):
            file.add(former)
            assert sorted(file.blocks()) == [5, 6, 7]
            assert sorted(file.nodes()) == [b"four", b"one", b"three", b"two"]


@pytest.mark.anvil
class TestTheIndex:
    def test_has_the_digest_of_one_in_a_file(self, chain: Chain, bench: Bench, cache: Server, tmp_path: Path) -> None:
        bench.mint("ann")
        bench.grant(1, "clinician")
        bench.ledger.history()
        made = index.rebuild(chain.anvil.url, chain.deployment, tmp_path / "logs.db")
        assert index.standing(cache) == made
        assert index.rebuild(chain.anvil.url, chain.deployment, cache) == made
        assert made.logs > 2

    def test_is_read_on_by_who_had_it_open_when_it_was_made_anew(
        self, chain: Chain, bench: Bench, cache: Server
    ) -> None:
        bench.ledger.history()
        index.rebuild(chain.anvil.url, chain.deployment, cache)
        before = seen(cache)
        bench.mint("ann")
        bench.ledger.history()
        assert seen(cache) == before + 2

    def test_that_says_what_the_chain_does_not_is_found(
        self, chain: Chain, bench: Bench, cache: Server, cluster: Cluster
    ) -> None:
        bench.mint("ann")
        head = bench.ledger.view().block
        with closing(LogCache(cache)) as logs:
            proved = [(each.block, each.place, each.topics, each.data) for each in logs.since(-1)]
        assert index.require_logs(iter(proved), cache, head) == len(proved)
        cluster.execute(f'DELETE FROM "{cache.schema}".logs WHERE block = {head}')
        with pytest.raises(IntegrityError, match="the index has other logs"):
            index.require_logs(iter(proved), cache, head)


@pytest.mark.parametrize("count", [2, 6])
def test_each_deployment_of_a_line_has_a_schema_of_its_own(cluster: Cluster, count: int) -> None:
    """PostgreSQL cuts a name of over 63 bytes: under names that grow, the events of two would be one's."""
    line: Deployment | None = None
    for number in range(count):
        contracts = {"ConsentRegistry": Address(f"0x{number:08x}{0:032x}")}
        line = Deployment(2**31 - 1, Digest(bytes(32)), contracts, {}, predecessor=line)
    assert line is not None
    file = Path(f"ledger-cache/{line.id}.db")
    with EvmReader("http://127.0.0.1:9", line, index.place(cluster.url, file)):
        found = cluster.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'dtledger_index%'")
    assert len(found) == count

"""A queue in PostgreSQL: what was acknowledged outlives the server's end and the gateway's, one gateway has it, and a
server that is away is an error that says so and passes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dtledger._backend import postgresql
from dtledger._backend.http_errors import DiskFullError, status_of
from dtledger._backend.postgresql import Server
from dtledger.errors import DtledgerError, InputError, UnreachableError
from dtledger.gateway.queue import Measured, ReadingQueue
from tests.gateway.test_queue import NOW, ONE, Place, all_of
from tests.postgres import Cluster

pytestmark = pytest.mark.postgres

THREADS = 4
ENOUGH = 40


@pytest.fixture
def place(tmp_path: Path, cluster: Cluster) -> Place:
    return Place(tmp_path / "queue" / "queue.db", Server(cluster.url, "dtledger_queue"))


@pytest.fixture
def kept(place: Place) -> Iterator[ReadingQueue]:
    kept = place.queue()
    yield kept
    kept.close()


def everything(kept: ReadingQueue) -> list[Measured]:
    hours = kept.due(NOW, (), 10**6)
    return [Measured(hour.twin, hour.category, each) for hour in hours for each in hour.readings]


def another(number: int) -> Measured:
    return replace(ONE, twin=100 + number)


def elsewhere(place: Place, tmp_path: Path) -> Place:
    """The same database, seen from another machine."""
    return replace(place, path=tmp_path / "another machine" / "queue.db")


class TestWhatWasAcknowledged:
    def test_is_there_when_the_server_ends_in_the_midst_of_intake(self, cluster: Cluster, place: Place) -> None:
        """Several senders at once; the server ends at once, and comes back; each goes on until it was heard."""
        kept, acknowledged, enough = place.queue(), set[Measured](), threading.Event()
        refused: list[DtledgerError] = []

        def send(sender: int) -> None:
            number = sender
            while not enough.is_set() or number < THREADS * ENOUGH:
                try:
                    kept.put([another(number)])
                except UnreachableError as error:
                    refused.append(error)
                    continue  # sent again
                acknowledged.add(another(number))
                number += THREADS
                if number > THREADS * ENOUGH:
                    going.set()

        going = threading.Event()
        with ThreadPoolExecutor(THREADS) as senders:
            done = [senders.submit(send, each) for each in range(THREADS)]
            assert going.wait(60)
            for _ in range(2):
                before = len(refused)
                cluster.stop()
                while len(refused) == before:
                    assert not any(each.done() for each in done)
                cluster.start()
            enough.set()
            for each in done:
                each.result(60)
        assert all(each.exit_code == 6 and status_of(each) == 503 for each in refused)
        found = everything(kept)
        assert set(found) == acknowledged
        assert len(found) == len(acknowledged)
        kept.close()
        again = place.queue()
        assert set(everything(again)) == acknowledged
        again.close()

    def test_is_synced_whatever_the_server_does_by_default(self, cluster: Cluster, kept: ReadingQueue) -> None:
        assert cluster.execute("SHOW synchronous_commit") == [("off",)]
        with kept._file.reading() as database:
            assert database.execute("SHOW synchronous_commit").fetchone() == ("on",)

    def test_is_not_promised_by_a_server_that_syncs_nothing(self, cluster: Cluster, place: Place) -> None:
        cluster.stop("fast")
        cluster.start(fsync="off")
        try:
            with pytest.raises(InputError, match="fsync is off"):
                place.queue()
        finally:
            cluster.stop("fast")
            cluster.start()
        place.queue().close()

    def test_is_not_there_in_words(self, cluster: Cluster, kept: ReadingQueue) -> None:
        canary = replace(ONE, twin=0x5EC12E7C0DE, reading=replace(ONE.reading, value=1234.5678))
        kept.put([canary], sender="device-canary", idempotency_key="key-canary")
        tables = cluster.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'dtledger_queue'")
        cells = [
            each if isinstance(each, bytes) else str(each).encode()
            for (table,) in tables
            for row in cluster.execute(f"SELECT * FROM dtledger_queue.{table}")
            for each in row
        ]
        assert len(tables) > 5
        assert any(len(each) > 100 for each in cells), "a sealed row"
        for told in (b"glucose", b"mmol/L", b"canary", (0x5EC12E7C0DE).to_bytes(6), b"\x40\x93\x4a\x45"):
            assert not any(told in each for each in cells)


class TestAServerThatIsAway:
    def test_is_an_error_until_it_is_back_and_costs_nothing(self, cluster: Cluster, kept: ReadingQueue) -> None:
        kept.put([ONE])
        cluster.stop("fast")
        try:
            for _ in range(2):
                with pytest.raises(UnreachableError, match="does not answer") as refused:
                    kept.put([another(1)])
                assert (refused.value.exit_code, status_of(refused.value)) == (6, 503)
            with pytest.raises(UnreachableError):
                kept.totals()
        finally:
            cluster.start()
        assert all_of(kept) == {ONE}
        assert kept.put([another(1)]) == 1

    def test_at_the_start_is_the_same_error(self, cluster: Cluster, place: Place) -> None:
        cluster.stop("fast")
        try:
            with pytest.raises(UnreachableError, match="does not answer"):
                place.queue()
        finally:
            cluster.start()
        place.queue().close()

    def test_for_a_moment_between_two_posts_is_not_noticed(self, cluster: Cluster, kept: ReadingQueue) -> None:
        kept.put([ONE])
        cluster.stop()
        cluster.start()
        assert kept.put([another(1)]) == 1

    def test_in_the_middle_of_a_transaction_undoes_all_of_it(self, cluster: Cluster, kept: ReadingQueue) -> None:
        def half() -> None:
            with kept._file.transaction() as database:
                database.execute("INSERT INTO posts VALUES (?, ?, ?)", (b"half", b"", 0))
                cluster.stop()
                cluster.start()
                database.execute("INSERT INTO refused VALUES (?, ?)", (b"half", 0))

        with pytest.raises(UnreachableError):
            half()
        with kept._file.reading() as database:
            assert database.execute("SELECT key FROM posts").fetchall() == []
            assert database.execute("SELECT part FROM refused").fetchall() == []
        assert kept.put([ONE]) == 1

    def test_that_only_reads_is_away(self, cluster: Cluster, kept: ReadingQueue) -> None:
        """As one that stands by for another is."""
        with kept._file.reading() as database:
            database.execute("SET default_transaction_read_only TO on")
        with pytest.raises(UnreachableError, match="does not answer"):
            kept.put([ONE])
        with kept._file.reading() as database:
            database.execute("SET default_transaction_read_only TO off")
        assert kept.put([ONE]) == 1

    def test_with_a_full_disk_takes_nothing_and_loses_nothing(self, cluster: Cluster, kept: ReadingQueue) -> None:
        kept.put([ONE])
        cluster.execute(
            "CREATE FUNCTION dtledger_queue.full() RETURNS trigger AS "
            "$$BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END$$ LANGUAGE plpgsql"
        )
        cluster.execute(
            "CREATE TRIGGER is_full BEFORE INSERT ON dtledger_queue.readings EXECUTE FUNCTION dtledger_queue.full()"
        )
        with pytest.raises(DiskFullError) as refused:
            kept.put([another(1)])
        assert status_of(refused.value) == 507
        assert all_of(kept) == {ONE}
        cluster.execute("DROP TRIGGER is_full ON dtledger_queue.readings")
        assert kept.put([another(1)]) == 1


class TestTwoGateways:
    def test_of_one_database_the_second_is_refused(self, kept: ReadingQueue, place: Place, tmp_path: Path) -> None:
        other = elsewhere(place, tmp_path)
        with pytest.raises(InputError, match="another process"):
            other.queue()
        kept.put([ONE])
        kept.close()
        again = other.queue()
        assert all_of(again) == {ONE}
        again.close()

    def test_one_that_lost_its_connection_does_not_go_on_after_another(
        self, cluster: Cluster, kept: ReadingQueue, place: Place, tmp_path: Path
    ) -> None:
        """What it remembers of twins and devices is not what the other left."""
        kept.put([ONE])
        cluster.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dtledger'")
        other = elsewhere(place, tmp_path).queue()
        other.put([another(1)])
        other.close()
        for _ in range(2):
            with pytest.raises(UnreachableError, match="Another process has the database now"):
                kept.put([another(2)])
        kept.close()
        again = place.queue()
        assert all_of(again) == {ONE, another(1)}
        again.close()

    def test_one_that_lost_its_connection_goes_on_if_nobody_came(self, cluster: Cluster, kept: ReadingQueue) -> None:
        kept.put([ONE])
        cluster.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dtledger'")
        assert kept.put([another(1)]) == 1


class TestAQueueThatLayInAFile:
    def test_moves_in_whole_and_its_file_goes(self, place: Place) -> None:
        file = replace(place, server=None).queue()
        chain = file.seal.close(file.seal.name("chain", b"one"), [1])
        file.put([ONE, another(1), another(2)], sender="pump", idempotency_key="a", chain=chain)
        (hour,) = [each for each in file.due(NOW, (), 10) if each.twin == ONE.twin]
        file.drop(hour.rows)
        (number,) = (row.number for row in file.hour(file.due(NOW, (), 1)[0].part).rows)  # type: ignore[union-attr]
        file.close()
        kept = place.queue()
        assert not any(each.name.startswith("queue.db") for each in place.path.parent.iterdir())
        assert all_of(kept) == {another(1), another(2)}
        assert [row.number for row in kept.due(NOW, (), 1)[0].rows] == [number]
        assert kept.put([ONE], sender="pump", idempotency_key="b") == 1
        newest = max(row.number for hour in kept.due(NOW, (), 10) for row in hour.rows)
        assert newest > 3, "no number is given twice"
        assert kept.devices.find("chains", chain.name) == chain
        kept.close()

    def test_is_moved_once_if_its_file_outlived_a_crash(self, place: Place) -> None:
        file = replace(place, server=None).queue()
        file.put([ONE])
        file.close()
        copy = place.path.read_bytes()
        place.queue().close()
        place.path.write_bytes(copy)
        kept = place.queue()
        assert all_of(kept) == {ONE}
        assert not place.path.exists()
        kept.close()

    def test_is_refused_beside_another(self, place: Place) -> None:
        kept = place.queue()
        kept.put([another(1)])
        kept.close()
        file = replace(place, server=None).queue()
        file.put([ONE])
        file.close()
        with pytest.raises(InputError, match="Both"):
            place.queue()
        file = replace(place, server=None).queue()
        assert all_of(file) == {ONE}, "and nothing of either is lost"
        file.close()
        place.path.unlink()
        kept = place.queue()
        assert all_of(kept) == {another(1)}
        kept.close()


class TestTables:
    def test_of_another_version_are_left_alone(self, cluster: Cluster, place: Place) -> None:
        kept = place.queue()
        kept.put([ONE])
        kept.close()
        cluster.execute("UPDATE dtledger_queue.about SET version = 2")
        with pytest.raises(InputError, match="of version 2; this program knows 1"):
            place.queue()
        cluster.execute("UPDATE dtledger_queue.about SET version = 1")
        again = place.queue()
        assert all_of(again) == {ONE}
        again.close()


def test_without_its_library_says_what_to_install(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        without.setattr(postgresql, "find_spec", lambda name: None)
        with pytest.raises(InputError, match="psycopg") as refused:
            place.queue()
    assert "dtledger[postgresql]" in refused.value.hint
    place.queue().close()

"""The receipt log of a service keeps what the log in a file keeps: two chains, no hole, nothing answered before it is
on the disk."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dtledger import encoding
from dtledger.custodian import Custodian, ReceiptDatabase
from dtledger.custodian.receipt_database import _Waiting
from dtledger.custodian.receipts import Entry
from dtledger.custody import NOTHING_BEFORE, ReceiptMap, Release
from dtledger.errors import DtledgerError, IntegrityError
from dtledger.testing import World
from tests.faults.disks import Disk, small_disk

from .appending import WHO, append, make_receipt
from .asking import Desk

pytestmark = pytest.mark.slow

Open = Callable[[Path], ReceiptDatabase]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "receipts.db"


@pytest.fixture
def open_(request: pytest.FixtureRequest) -> Open:
    def opened(path: Path) -> ReceiptDatabase:
        log = ReceiptDatabase(path)
        request.addfinalizer(log.close)
        return log

    return opened


def change(path: Path, *statements: str) -> None:
    """What somebody does who is at home on the machine: the triggers stop accidents, not them."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in ("DROP TRIGGER no_change", "DROP TRIGGER no_removal", *statements):
            database.execute(statement)


def served(world: World, desk: Desk, log: ReceiptDatabase) -> Custodian:
    """The custodian as it starts anew, with that log."""
    present = desk.custodian
    return Custodian(present._key, present.ledger, present._twin_keys, log, world.clock)


# two chains ----------------------------------------------------------------------------------------------------------


def test_numbers_and_hashes_run_on_twice_and_over_a_restart(path: Path, open_: Open) -> None:
    for twin in (7, 2**64 - 1, 7):
        append(open_(path), twin)
    log = open_(path)
    entries = [entry.receipt for entry in log.entries]
    assert [(each.number, each.twin_number) for each in entries] == [(0, 0), (1, 0), (2, 1)]
    assert [each.previous for each in entries] == [NOTHING_BEFORE, entries[0].hash, entries[1].hash]
    assert [each.twin_previous for each in entries] == [NOTHING_BEFORE, NOTHING_BEFORE, entries[0].hash]
    assert [each.receipt for each in log.of_twin(7)] == [entries[0], entries[2]]


def test_the_map_of_its_heads_is_the_map_of_all_its_receipts(path: Path, open_: Open) -> None:
    log = open_(path)
    for twin in (7, 2**64 - 1, 7, 9, 9, 7):
        append(log, twin)
    for count in (*range(8), None):
        all_ = [each.receipt for each in log.first(count)]
        whole = ReceiptMap.of((each.twin, each.twin_number, each.hash) for each in all_)
        made = log.map(count)
        assert (made.root, made.count, made.last) == (whole.root, whole.count, whole.last)


def test_an_entry_is_found_by_its_asker_s_nonce_and_by_no_other_s(path: Path, open_: Open) -> None:
    entry = append(open_(path))
    log = open_(path)
    assert log.by_nonce(WHO, entry.nonce) == entry
    assert log.by_nonce(encoding.address("0x" + "22" * 20), entry.nonce) is None
    assert log.by_nonce(WHO, bytes(32)) is None


def test_an_entry_that_is_there_is_not_added_again(path: Path, open_: Open) -> None:
    log = open_(path)
    entry = append(log)
    assert log.append(7, lambda last, last_of_twin: entry) is entry
    assert log.entries == [entry]


def test_what_was_opened_under_a_grant_is_counted_from_a_time_on(path: Path, open_: Open) -> None:
    log = open_(path)
    append(log, 7, (encoding.sha256(b"a"), encoding.sha256(b"b")))
    append(log, 7)
    append(log, 8)
    assert [log.released_since(7, WHO, 0, at) for at in (1, 2)] == [3, 0]
    assert log.released_since(7, WHO, 1, 1) == 0


# tampering -----------------------------------------------------------------------------------------------------------

TAMPERINGS = {
    "the first removed": ["DELETE FROM receipts WHERE number = 0"],
    "one in the middle removed": ["DELETE FROM receipts WHERE number = 2"],
    "two exchanged": [
        "UPDATE receipts SET number = 9 WHERE number = 1",
        "UPDATE receipts SET number = 1 WHERE number = 3",
        "UPDATE receipts SET number = 3 WHERE number = 9",
    ],
    "one's entry in another's place": ["UPDATE receipts SET entry = (SELECT entry FROM receipts WHERE number = 1)"],
    "a time edited": ["UPDATE receipts SET at = 2 WHERE number = 1"],
    "a count edited": ["UPDATE receipts SET permitted = 0 WHERE number = 1"],
    "a nonce edited": ["UPDATE receipts SET nonce = x'00' WHERE number = 1"],
    "what is no entry": ["UPDATE receipts SET entry = x'f6' WHERE number = 1"],
    "a text for an entry": ["UPDATE receipts SET entry = 'no' WHERE number = 1"],
    "another form": ["PRAGMA user_version=9"],
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_log_that_was_tampered_with_is_refused(name: str, path: Path, open_: Open) -> None:
    log = ReceiptDatabase(path)
    for twin in (7, 8, 7, 8, 7):
        append(log, twin)
    log.close()
    true = path.read_bytes()
    change(path, *TAMPERINGS[name])
    with pytest.raises(IntegrityError):
        open_(path)
    path.write_bytes(true)
    assert len(open_(path).entries) == 5


@pytest.mark.parametrize("statement", ["DELETE FROM receipts", "UPDATE receipts SET at = 2"])
def test_the_file_itself_refuses_to_change_or_remove_a_receipt(path: Path, open_: Open, statement: str) -> None:
    append(log := open_(path))
    with closing(sqlite3.connect(path)) as database, pytest.raises(sqlite3.IntegrityError, match="only added"):
        database.execute(statement)
    assert len(log.entries) == 1


def test_a_log_that_is_cut_off_while_it_is_in_use_is_refused(path: Path, open_: Open) -> None:
    log = open_(path)
    append(log)
    append(log)
    change(path, "DELETE FROM receipts WHERE number = 1")
    with pytest.raises(IntegrityError, match="cut off"):
        append(log)
    assert len(log.entries) == 1


def test_a_log_that_is_exchanged_while_it_is_in_use_releases_no_key(
    world: World, desk: Desk, path: Path, open_: Open
) -> None:
    custodian = served(world, desk, open_(path))
    custodian.open(desk.request(), desk.shares())
    kept = path.rename(path.with_name("kept"))
    path.write_bytes(kept.read_bytes())
    with pytest.raises(DtledgerError, match="no key is released"):
        custodian.open(desk.request(), desk.shares())
    kept.rename(path)
    assert custodian.open(desk.request(), desk.shares()).receipt.number == 1


def test_nothing_is_chained_to_a_receipt_that_this_custodian_did_not_sign(
    world: World, desk: Desk, path: Path, open_: Open
) -> None:
    log = open_(path)
    append(log)
    with pytest.raises(IntegrityError, match="another custodian's"):
        served(world, desk, log).open(desk.request(), desk.shares())


# threads and processes -----------------------------------------------------------------------------------------------


class Watched(ReceiptDatabase):
    """Counts its commits; the first waits until everybody is in the queue."""

    count = 8

    def _write(self, batch: Any) -> None:
        sizes = self.__dict__.setdefault("sizes", [])
        if not sizes:
            while len(self._queue) + len(batch) < self.count:
                threading.Event().wait(0.001)
        sizes.append(len(batch))
        super()._write(batch)


def test_answers_at_one_time_share_a_commit_under_successive_numbers(path: Path) -> None:
    log = Watched(path)
    threads = [threading.Thread(target=append, args=[log]) for _ in range(Watched.count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(log.__dict__["sizes"]) == 2, "the first for some, the second for all others"
    assert [entry.receipt.number for entry in log.entries] == list(range(Watched.count))
    log.close()


def test_one_of_a_batch_that_fails_fails_alone(path: Path, open_: Open) -> None:
    log = open_(path)

    def fail(last: Entry | None, of_twin: Entry | None) -> Entry:
        raise IntegrityError("mine")

    bad, good = _Waiting(7, fail), _Waiting(7, make_receipt())
    log._write([bad, good])
    assert (str(bad.error), bad.entry) == ("mine", None)
    assert log.entries == [good.entry]
    with pytest.raises(IntegrityError, match="mine"):
        log.append(7, fail)
    assert append(log).receipt.number == 1


def test_the_same_request_at_one_time_has_one_receipt(world: World, desk: Desk, path: Path, open_: Open) -> None:
    custodian = served(world, desk, log := open_(path))
    request, shares = desk.request(), desk.shares()
    answers: list[Release] = []
    threads = [threading.Thread(target=lambda: answers.append(custodian.open(request, shares))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert {each.receipt.number for each in answers} == {0}
    assert len(answers) == 6
    assert len(log.entries) == 1


@pytest.mark.slow
def test_two_processes_on_one_log_get_successive_numbers(path: Path, open_: Open) -> None:
    each = 25
    command = [sys.executable, "-m", "tests.custodian.appending", str(path), str(each)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(2)]
    own = open_(path)
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"!")
        process.stdin.flush()
    for _ in range(each):
        append(own)
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert [entry.receipt.number for entry in own.entries] == list(range(3 * each))


# the disk ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def disk() -> Iterator[Disk]:
    with small_disk() as disk:
        yield disk


def test_a_log_that_cannot_be_written_releases_no_key(world: World, desk: Desk, path: Path, open_: Open) -> None:
    custodian = served(world, desk, log := open_(path))
    log._writer.execute("PRAGMA query_only=ON")
    with pytest.raises(DtledgerError, match="no key is released"):
        custodian.open(desk.request(), desk.shares())
    log._writer.execute("PRAGMA query_only=OFF")
    assert custodian.open(desk.request(), desk.shares()).receipt.number == 0


def answered_once(custodian: Custodian, desk: Desk) -> bool:
    try:
        custodian.open(desk.request(), desk.shares())
    except DtledgerError:
        return False
    return True


def test_a_full_disk_releases_no_key_and_loses_no_receipt(world: World, desk: Desk, disk: Disk, open_: Open) -> None:
    log = open_(disk.folder / "receipts.db")
    custodian = served(world, desk, log)
    custodian.open(desk.request(), desk.shares())
    with disk.full(no_other=True):
        answered = 0
        while answered_once(custodian, desk):  # the file has some room left of its own
            answered += 1
    assert custodian.open(desk.request(), desk.shares()).receipt.number == answered + 1
    assert len(log.entries) == answered + 2


@pytest.mark.slow
def test_a_log_that_is_killed_has_all_that_was_answered(path: Path, open_: Open) -> None:
    """The other process says of each receipt that it has it, and is killed in the middle of the next."""
    script = (
        "import sys; from pathlib import Path\n"
        "from dtledger.custodian import ReceiptDatabase\n"
        "from tests.custodian.appending import append\n"
        "log = ReceiptDatabase(Path(sys.argv[1]))\n"
        "while True: print(append(log).receipt.number, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        heard = [int(process.stdout.readline()) for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        heard += [int(line) for line in process.stdout if line.endswith("\n")]
    entries = open_(path).entries
    assert heard == list(range(len(heard)))
    assert len(entries) in (len(heard), len(heard) + 1)
    append(open_(path))

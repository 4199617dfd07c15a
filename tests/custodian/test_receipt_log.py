"""The receipt log: one chain over all and one for each twin, on the disk before an answer, and no entry of it can be
taken out, changed or moved without its being found."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dtledger import encoding
from dtledger.custodian import Custodian, ReceiptLog
from dtledger.custodian import receipts as module
from dtledger.custodian.receipts import NOTHING_BEFORE, Entry
from dtledger.errors import DtledgerError, IntegrityError
from dtledger.testing import World

from .appending import append
from .asking import Desk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "receipts.log"


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


# two chains ----------------------------------------------------------------------------------------------------------


def test_numbers_and_hashes_run_on_twice_and_over_a_restart(path: Path) -> None:
    for twin in (7, 8, 7):
        append(ReceiptLog(path), twin)
    log = ReceiptLog(path)
    entries = [entry.receipt for entry in log.entries]
    assert [(each.number, each.twin, each.twin_number) for each in entries] == [(0, 7, 0), (1, 8, 0), (2, 7, 1)]
    assert [each.previous for each in entries] == [NOTHING_BEFORE, entries[0].hash, entries[1].hash]
    assert [each.twin_previous for each in entries] == [NOTHING_BEFORE, NOTHING_BEFORE, entries[0].hash]
    assert [each.receipt for each in log.of_twin(7)] == [entries[0], entries[2]]


def test_an_entry_is_found_by_its_asker_s_nonce_and_by_no_other_s(path: Path) -> None:
    entry = append(ReceiptLog(path))
    log = ReceiptLog(path)
    assert log.by_nonce(entry.receipt.requester, entry.nonce) == entry
    assert log.by_nonce(encoding.address("0x" + "22" * 20), entry.nonce) is None
    assert log.by_nonce(entry.receipt.requester, bytes(32)) is None


def test_an_entry_that_is_there_is_not_added_again(path: Path) -> None:
    log = ReceiptLog(path)
    entry = append(log)
    size = path.stat().st_size
    assert log.append(7, lambda last, last_of_twin: entry) is entry
    assert path.stat().st_size == size


# tampering -----------------------------------------------------------------------------------------------------------


def changed(line: bytes, change: Callable[[list[Any]], None]) -> bytes:
    """A line with something else in its entry: [receipt, nonce, digests]."""
    cells = encoding.decode(base64.b64decode(line))
    change(cells)
    return base64.b64encode(encoding.encode(cells)) + b"\n"


def set_body(place: int, value: Any) -> Callable[[list[Any]], None]:
    def change(cells: list[Any]) -> None:
        body, signature = encoding.decode(cells[0])
        body[place] = value
        cells[0] = encoding.encode([body, signature])

    return change


def set_cell(place: int, value: Any) -> Callable[[list[Any]], None]:
    return lambda cells: cells.__setitem__(place, value)


TAMPERINGS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "the first removed": lambda all_: all_[1:],
    "one in the middle removed": lambda all_: all_[:2] + all_[3:],
    "one of a twin removed": lambda all_: all_[:1] + all_[2:],
    "two exchanged": lambda all_: [all_[0], all_[2], all_[1], *all_[3:]],
    "one twice": lambda all_: [*all_[:2], all_[1], *all_[2:]],
    "the last before the first": lambda all_: [all_[-1], *all_[:-1]],
    "a requester edited": lambda all_: [all_[0], changed(all_[1], set_body(6, "0x" + "22" * 20)), *all_[2:]],
    "a time edited": lambda all_: [all_[0], changed(all_[1], set_body(15, 2)), *all_[2:]],
    "a number edited": lambda all_: [all_[0], changed(all_[1], set_body(1, 9)), *all_[2:]],
    "a twin edited": lambda all_: [all_[0], changed(all_[1], set_body(3, 9)), *all_[2:]],
    "a list of snapshots edited": lambda all_: [all_[0], changed(all_[1], set_cell(2, [b"\1" * 32])), *all_[2:]],
    "a list of snapshots emptied": lambda all_: [all_[0], changed(all_[1], set_cell(2, [])), *all_[2:]],
    "a list that is none": lambda all_: [all_[0], changed(all_[1], set_cell(2, 5)), *all_[2:]],
    "a receipt that is none": lambda all_: [all_[0], changed(all_[1], set_cell(0, b"\xf6")), *all_[2:]],
    "an entry of two cells": lambda all_: [all_[0], changed(all_[1], lambda cells: cells.pop()), *all_[2:]],
    "what is no entry": lambda all_: [all_[0], b"AAAA\n", *all_[2:]],
    "what is no base64": lambda all_: [all_[0], b"!\n", *all_[2:]],
    "an empty line": lambda all_: [all_[0], b"\n", *all_[2:]],
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_log_that_was_tampered_with_is_refused(name: str, path: Path) -> None:
    log = ReceiptLog(path)
    for twin in (7, 8, 7, 8, 7):
        append(log, twin)
    true = path.read_bytes()
    path.write_bytes(b"".join(TAMPERINGS[name](lines(path))))
    with pytest.raises(IntegrityError):
        ReceiptLog(path)
    path.write_bytes(true)
    assert len(ReceiptLog(path).entries) == 5


def test_a_log_that_is_cut_off_while_it_is_in_use_is_refused(path: Path) -> None:
    log = ReceiptLog(path)
    append(log)
    append(log)
    true = path.read_bytes()
    path.write_bytes(lines(path)[0])
    with pytest.raises(IntegrityError, match="cut off"):
        append(log)
    path.write_bytes(true)
    append(log)
    assert len(ReceiptLog(path).entries) == 3


def test_a_line_without_its_end_was_never_answered_and_is_written_over(path: Path) -> None:
    log = ReceiptLog(path)
    append(log)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:-20] * 3)
    log = ReceiptLog(path)
    assert len(log.entries) == 1
    append(log)
    assert len(ReceiptLog(path).entries) == 2


def test_nothing_is_chained_to_a_receipt_that_this_custodian_did_not_sign(world: World, desk: Desk, path: Path) -> None:
    """The last entry has none after it to give an edit away: its signature does."""
    one = on_file(world, desk, path)
    one.open(desk.request(), desk.shares())
    true = path.read_bytes()
    path.write_bytes(changed(lines(path)[0], set_body(15, 2)))
    with pytest.raises(IntegrityError, match="not signed"):
        on_file(world, desk, path).open(desk.request(), desk.shares())
    path.write_bytes(true)
    release = on_file(world, desk, path).open(desk.request(), desk.shares())
    assert release.receipt.number == 1


def test_another_custodian_s_log_is_refused(world: World, desk: Desk, path: Path) -> None:
    on_file(world, desk, path).open(desk.request(), desk.shares())
    log = ReceiptLog(path)
    desk.custodian = world.custodians[1]
    with pytest.raises(IntegrityError, match="another custodian's"):
        on_file(world, desk, path).open(desk.request(), desk.shares())
    assert len(log.entries) == 1


def on_file(world: World, desk: Desk, path: Path) -> Custodian:
    """The custodian as it starts anew, with its log in a file."""
    present = desk.custodian
    return Custodian(present._key, present.ledger, present._twin_keys, ReceiptLog(path), world.clock)


# threads and processes -----------------------------------------------------------------------------------------------


def test_answers_at_one_time_share_a_sync(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 8
    log, syncs = ReceiptLog(path), []
    all_written, true = threading.Event(), os.fsync

    def fsync(descriptor: int) -> None:
        syncs.append(len(log.entries))
        assert all_written.wait(10)  # the first waits until everybody has written
        true(descriptor)

    take = ReceiptLog._take

    def taken(self: ReceiptLog, entry: Entry) -> None:
        take(self, entry)
        if len(self.entries) == count:
            all_written.set()

    monkeypatch.setattr(module.os, "fsync", fsync)
    monkeypatch.setattr(ReceiptLog, "_take", taken)
    threads = [threading.Thread(target=append, args=[log]) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(syncs) == 2, "the first for itself, the second for the seven others"
    assert [entry.receipt.number for entry in ReceiptLog(path).entries] == list(range(count))


@pytest.mark.slow
def test_two_processes_on_one_log_get_successive_numbers(path: Path) -> None:
    each = 25
    command = [sys.executable, "-m", "tests.custodian.appending", str(path), str(each)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(2)]
    own = ReceiptLog(path)
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"!")
        process.stdin.flush()
    for _ in range(each):
        append(own)
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    entries = ReceiptLog(path).entries
    assert [entry.receipt.number for entry in entries] == list(range(3 * each))
    append(own)
    assert own.entries[-1].receipt.number == 3 * each


def test_a_log_that_cannot_be_written_releases_no_key(world: World, desk: Desk, path: Path) -> None:
    custodian = on_file(world, desk, path)
    path.unlink()
    path.mkdir()
    with pytest.raises(DtledgerError, match="no key is released"):
        custodian.open(desk.request(), desk.shares())
    path.rmdir()
    assert custodian.open(desk.request(), desk.shares()).receipt.number == 0

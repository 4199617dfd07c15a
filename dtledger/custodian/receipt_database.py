"""The receipt log of a service, in SQLite: the same chain as in a file, for a custodian that has many receipts.

Written ahead (WAL) and synced with every commit (`synchronous=FULL`). Requests that come at one time are written by
whichever of them is first, in one transaction under successive numbers, and share its sync. An entry is seen by nobody,
as a new one or for a retry, before its commit is on the disk. A transaction that a crash cut off was never answered,
and SQLite drops it. Several processes may share the file.

The whole chain is verified at each start. Rows are never changed or removed: the file itself refuses it, and what is
done to it by other means is found there.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..custody import NOTHING_BEFORE, ReceiptMap
from ..errors import DtledgerError, IntegrityError
from ..types import Address, Digest
from .receipts import Entry, Make, require_follows

__all__ = ["ReceiptDatabase"]

SCHEMA = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS receipts (
    number INTEGER PRIMARY KEY, twin TEXT NOT NULL, requester TEXT NOT NULL, nonce BLOB NOT NULL,
    grantee TEXT NOT NULL, slot INTEGER NOT NULL, at INTEGER NOT NULL, permitted INTEGER NOT NULL, entry BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS by_nonce ON receipts (requester, nonce, number);
CREATE INDEX IF NOT EXISTS by_twin ON receipts (twin, number);
CREATE INDEX IF NOT EXISTS by_grant ON receipts (twin, grantee, slot, at);
CREATE TRIGGER IF NOT EXISTS no_change BEFORE UPDATE ON receipts
    BEGIN SELECT RAISE(ABORT, 'receipts are only added'); END;
CREATE TRIGGER IF NOT EXISTS no_removal BEFORE DELETE ON receipts
    BEGIN SELECT RAISE(ABORT, 'receipts are only added'); END;
"""


@dataclass(slots=True)
class _Waiting:
    """One request that waits for its receipt."""

    twin: int
    make: Make
    entry: Entry | None = None
    error: Exception | None = None
    done: threading.Event = field(default_factory=threading.Event)


class ReceiptDatabase:
    """`Receipts` in the SQLite file at `path`.

    Raises:
        IntegrityError: an entry was removed, changed or put in another place.
        DtledgerError: the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: list[_Waiting] = []
        self._queueing, self._writing, self._reading = threading.Lock(), threading.Lock(), threading.Lock()
        self._writer_thread: int | None = None
        with self._translated():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._writer, self._reader = _connect(path), _connect(path)
            self._file = path.stat().st_ino
        self._newest = self._verify()
        """Number and hash of the newest receipt that was seen here: what a later look must find again."""

    def close(self) -> None:
        self._writer.close()
        self._reader.close()

    @property
    def count(self) -> int:
        """How many there are."""
        with self._connection() as connection:
            return int(connection.execute("SELECT COUNT(*) FROM receipts").fetchone()[0])

    def latest(self, count: int) -> list[Entry]:
        """The newest, the oldest of them first."""
        query = "SELECT * FROM receipts ORDER BY number DESC LIMIT ?"
        return list(self._select(query, count))[::-1]

    @property
    def entries(self) -> list[Entry]:
        """All of them, in their order."""
        return self.first()

    def append(self, twin: int, make: Make) -> Entry:
        waiting = _Waiting(twin, make)
        with self._queueing:
            self._queue.append(waiting)
        with self._writing:  # who gets in first writes for all who wait
            if not waiting.done.is_set():
                with self._queueing:
                    batch, self._queue = self._queue, []
                self._write(batch)
        if waiting.error is not None:
            raise waiting.error
        assert waiting.entry is not None
        return waiting.entry

    def by_nonce(self, requester: Address, nonce: bytes) -> Entry | None:
        """The newest entry of that requester's with that nonce."""
        query = "SELECT * FROM receipts WHERE requester = ? AND nonce = ? ORDER BY number DESC LIMIT 1"
        return next(self._select(query, requester, nonce), None)

    def of_twin(self, twin: int, first: int = 0, most: int | None = None) -> list[Entry]:
        query = "SELECT * FROM receipts WHERE twin = ? ORDER BY number LIMIT ? OFFSET ?"
        return list(self._select(query, str(twin), -1 if most is None else most, first))

    def first(self, count: int | None = None) -> list[Entry]:
        query = "SELECT * FROM receipts ORDER BY number LIMIT ?"
        return list(self._select(query, -1 if count is None else count))

    def map(self, count: int | None = None) -> ReceiptMap:
        """Of the last receipt of each twin alone: a log is larger than any memory."""
        query = (
            "SELECT * FROM receipts WHERE number IN (SELECT MAX(number) FROM receipts WHERE number < ? GROUP BY twin) "
            "ORDER BY number"
        )
        heads: dict[int, tuple[int, Digest]] = {}
        length, last = 0, NOTHING_BEFORE
        for entry in self._select(query, 2**63 - 1 if count is None else count):
            receipt = entry.receipt
            length, last = receipt.number + 1, receipt.hash
            heads[receipt.twin] = receipt.twin_number + 1, last
        return ReceiptMap(heads, length, last)

    def at(self, number: int) -> Entry | None:
        return next(self._select("SELECT * FROM receipts WHERE number = ?", number), None)

    def released_since(self, twin: int, grantee: Address, slot: int, at: int) -> int:
        """Snapshots opened under a grant in receipts from that time on (unix seconds)."""
        query = "SELECT TOTAL(permitted) FROM receipts WHERE twin = ? AND grantee = ? AND slot = ? AND at >= ?"
        with self._connection() as connection:
            return int(connection.execute(query, (str(twin), grantee, slot, at)).fetchone()[0])

    def _write(self, batch: list[_Waiting]) -> None:
        """Write an entry for each in one transaction, or give each its error."""
        self._writer_thread = threading.get_ident()
        newest = self._newest
        try:
            with self._translated():
                self._require_file()
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    self._require_newest()
                    for each in batch:
                        newest = self._add(each, newest)
                    self._writer.execute("COMMIT")
                finally:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
            self._newest = newest
        except Exception as error:  # noqa: BLE001 nothing was written, so nobody has an answer
            for each in batch:
                each.entry, each.error = None, each.error or error
        finally:
            self._writer_thread = None
            for each in batch:
                each.done.set()

    def _add(self, each: _Waiting, newest: tuple[int, Digest]) -> tuple[int, Digest]:
        """Have the entry made and insert it, if it is a new one; the newest from then on."""
        last = self._one("SELECT * FROM receipts ORDER BY number DESC LIMIT 1")
        of_twin = self._one("SELECT * FROM receipts WHERE twin = ? ORDER BY number DESC LIMIT 1", str(each.twin))
        try:
            entry = each.make(last, of_twin)
        except Exception as error:  # noqa: BLE001 it is this request's alone
            each.error = error
            return newest
        if not last or entry.receipt.number > last.receipt.number:
            require_follows(entry, last, of_twin)
            row = (*_columns(entry), entry.encode())
            self._writer.execute("INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            newest = entry.receipt.number, entry.receipt.hash
        each.entry = entry
        return newest

    def _verify(self) -> tuple[int, Digest]:
        """Go through the whole chain, holding no more of it than the last of each twin; the newest."""
        last: Entry | None = None
        of_twin: dict[int, Entry] = {}
        for entry in self._select("SELECT * FROM receipts ORDER BY number"):
            require_follows(entry, last, of_twin.get(entry.receipt.twin))
            last = of_twin[entry.receipt.twin] = entry
        return (last.receipt.number, last.receipt.hash) if last else (-1, NOTHING_BEFORE)

    def _require_newest(self) -> None:
        number, known = self._newest
        if number >= 0:
            found = self._one("SELECT * FROM receipts WHERE number = ?", number)
            if found is None or found.receipt.hash != known:
                raise IntegrityError(f"the receipt log was cut off: receipt {number} is gone from it")

    def _require_file(self) -> None:
        """SQLite goes on writing into a file that was removed or exchanged: those receipts nobody would find."""
        if self._path.stat().st_ino != self._file:
            raise OSError("the file was exchanged while it was in use")

    def _one(self, query: str, *values: object) -> Entry | None:
        row = self._writer.execute(query, values).fetchone()
        return _entry(row) if row else None

    def _select(self, query: str, *values: object) -> Iterator[Entry]:
        with self._connection() as connection, closing(connection.execute(query, values)) as rows:
            yield from map(_entry, rows)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """The writer's own connection in its thread, which sees what it has not committed yet; else the readers'."""
        with self._translated():
            if self._writer_thread == threading.get_ident():
                yield self._writer
            else:
                with self._reading:
                    yield self._reader

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The one border where errors of SQLite and the operating system become ours."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise DtledgerError(
                f"The receipt log cannot be written ({error}), so no key is released.",
                hint=f"Free space, or make {self._path} and its folder writable for this account.",
            ) from error
        except sqlite3.Error as error:
            raise IntegrityError(f"the receipt log is damaged ({error})") from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA):
            raise IntegrityError(f"the receipt log is of form {version}, which this version does not know")
        connection.executescript(_TABLES + f"PRAGMA user_version={SCHEMA};")
    except BaseException:
        connection.close()
        raise
    return connection


def _columns(entry: Entry) -> tuple[object, ...]:
    receipt = entry.receipt
    grant = (receipt.grantee, receipt.slot, receipt.at, receipt.permitted)
    return (receipt.number, str(receipt.twin), receipt.requester, entry.nonce, *grant)


def _entry(row: Sequence[Any]) -> Entry:
    """The entry of a row, whose other columns say the same.

    Raises:
        IntegrityError: they do not, or it is none.
    """
    *columns, data = row
    try:
        entry = Entry.decode(data)
        if list(_columns(entry)) == columns:
            return entry
    except (ValueError, TypeError):
        pass
    raise IntegrityError(f"the receipt log is damaged at receipt {columns[0]}")

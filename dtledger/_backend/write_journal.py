"""What a writer remembers between batches, in one SQLite file: stream ends, the index, the batch under way, and
marks of the readings written, so that a file read twice adds nothing twice.

A mark is an HMAC under the category's tag key: the file tells nothing to whoever lacks that key.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import encoding
from ..encoding import CID
from ..errors import DtledgerError
from ..types import Digest

_TABLES = """
CREATE TABLE IF NOT EXISTS streams (label BLOB PRIMARY KEY, head BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS anchored (one INTEGER PRIMARY KEY CHECK (one = 1), index_root TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pending (
    one INTEGER PRIMARY KEY CHECK (one = 1), root BLOB NOT NULL, count INTEGER NOT NULL, index_root TEXT NOT NULL,
    heads BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS marks (mark BLOB PRIMARY KEY, pending INTEGER NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Pending:
    """A batch whose blocks are stored and whose anchor may or may not be on the ledger."""

    root: Digest
    count: int
    index_root: CID


class WriteJournal:
    """One writer's memory on one deployment. `path` None keeps it in memory."""

    def __init__(self, path: Path | None) -> None:
        try:
            if path is not None:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = sqlite3.connect(path or ":memory:", timeout=30, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.executescript(_TABLES)
        except sqlite3.Error as error:
            raise DtledgerError(f"The writer's journal cannot be opened ({error}).", hint=f"Look at {path}.") from error

    def close(self) -> None:
        self._database.close()

    def head(self, label: Digest) -> bytes | None:
        """The stream's end as it was put, if it is known."""
        row = self._database.execute("SELECT head FROM streams WHERE label = ?", (label,)).fetchone()
        return row[0] if row else None

    def index_root(self) -> CID | None:
        row = self._database.execute("SELECT index_root FROM anchored").fetchone()
        return CID.decode(row[0]) if row else None

    def adopt(self, index_root: CID, heads: Mapping[Digest, bytes]) -> None:
        """Take over what the chain says was anchored before this journal began."""
        with self._database:
            self._database.execute("INSERT OR REPLACE INTO anchored VALUES (1, ?)", (str(index_root),))
            self._database.executemany("INSERT OR REPLACE INTO streams VALUES (?, ?)", heads.items())

    def unwritten(self, marks: Sequence[bytes]) -> set[bytes]:
        """Those of `marks` that no batch holds."""
        known: set[bytes] = set()
        for start in range(0, len(marks), 500):
            some = marks[start : start + 500]
            query = f"SELECT mark FROM marks WHERE mark IN ({','.join('?' * len(some))})"  # noqa: S608
            known.update(row[0] for row in self._database.execute(query, some))
        return set(marks) - known

    def prepare(self, pending: Pending, heads: Mapping[Digest, bytes], marks: Iterable[bytes]) -> None:
        """Remember a batch before its anchor is sent."""
        packed = encoding.encode([[label, head] for label, head in heads.items()])
        with self._database:
            self._database.execute(
                "INSERT INTO pending VALUES (1, ?, ?, ?, ?)",
                (pending.root, pending.count, str(pending.index_root), packed),
            )
            self._database.executemany("INSERT OR IGNORE INTO marks VALUES (?, 1)", ((mark,) for mark in marks))

    def pending(self) -> Pending | None:
        row = self._database.execute("SELECT root, count, index_root FROM pending").fetchone()
        return Pending(Digest(row[0]), row[1], CID.decode(row[2])) if row else None

    def finish(self) -> None:
        """The pending batch is anchored."""
        with self._database:
            row = self._database.execute("SELECT index_root, heads FROM pending").fetchone()
            self._database.execute("INSERT OR REPLACE INTO anchored VALUES (1, ?)", (row[0],))
            self._database.executemany("INSERT OR REPLACE INTO streams VALUES (?, ?)", encoding.decode(row[1]))
            self._database.execute("UPDATE marks SET pending = 0")
            self._database.execute("DELETE FROM pending")

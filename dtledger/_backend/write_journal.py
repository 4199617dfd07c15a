"""What a writer remembers between batches, in one SQLite file: stream ends, the index, the batch under way, and
marks of the readings written, so that a file read twice adds nothing twice.

A mark is an HMAC under the category's tag key: the file tells nothing to whoever lacks that key. Marks are kept by
their snapshot's place in the batch under way, so that one snapshot that does not count takes its own back alone. The
transaction that carries the batch is kept too: another try replaces it (`dtledger.ledger.Outbox`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from .. import encoding
from ..encoding import CID
from ..ledger import Sent
from ..types import ZERO_DIGEST, Digest, Period
from .database_file import Connection, DatabaseFile
from .files import locked

_TABLES = """
CREATE TABLE IF NOT EXISTS streams (label BLOB PRIMARY KEY, head BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS base (one INTEGER PRIMARY KEY CHECK (one = 1), index_root TEXT, covers BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS under_way (
    one INTEGER PRIMARY KEY CHECK (one = 1), root BLOB NOT NULL, count INTEGER NOT NULL, index_root TEXT NOT NULL,
    heads BLOB NOT NULL, snapshots BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS marks (mark BLOB PRIMARY KEY, pending INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent (one INTEGER PRIMARY KEY CHECK (one = 1), sent BLOB NOT NULL);
"""

_HINT = "Free space, or make its folder writable, and try again: it goes on where it stopped."


@dataclass(frozen=True, slots=True)
class Pending:
    """A batch whose blocks are stored and whose anchor may or may not be on the ledger. `snapshots` are what the right
    to write them is judged by (twin, category bit, data period), and each one's stream. `heads` are the ends of its
    streams once it is."""

    root: Digest
    count: int
    index_root: CID
    snapshots: tuple[tuple[int, int, Period, Digest], ...]
    heads: Mapping[Digest, bytes]


@dataclass(frozen=True, slots=True)
class Base:
    """What the next batch goes on from: an index (None: nothing yet), and the running digest of the batches that it
    covers."""

    index_root: CID | None = None
    covers: Digest = ZERO_DIGEST


class WriteJournal(DatabaseFile):
    """One writer's memory on one deployment. `path` None keeps it in memory.

    Raises:
        DtledgerError: the file cannot be read or written; what it held stays.
    """

    def __init__(self, path: Path | None) -> None:
        super().__init__(path, _TABLES, "The writer's journal", _HINT, ("synchronous=FULL",))

    @contextmanager
    def held(self) -> Iterator[None]:
        """The journal for one put of one process at a time; whoever comes second waits.

        Raises:
            DtledgerError: somebody else has held it for half a minute.
        """
        with locked(self._path) if self._path else nullcontext():
            yield

    def head(self, label: Digest) -> bytes | None:
        """The stream's end as it was put, if it is known."""
        with self._reading() as database:
            row = database.execute("SELECT head FROM streams WHERE label = ?", (label,)).fetchone()
        return row[0] if row else None

    def base(self) -> Base:
        """What the next batch goes on from."""
        with self._reading() as database:
            row = database.execute("SELECT index_root, covers FROM base").fetchone()
        return Base(CID.decode(row[0]) if row[0] else None, Digest(row[1])) if row else Base()

    def follow(self, base: Base) -> None:
        """Begin anew from what is on the chain: what was known of stream ends may be older."""
        with self._transaction() as database:
            _follow(database, base)

    def adopt(self, label: Digest, head: bytes) -> None:
        """Take over a stream's end from the index."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO streams VALUES (?, ?)", (label, head))

    def unwritten(self, marks: Sequence[bytes]) -> set[bytes]:
        """Those of `marks` that no batch holds."""
        known: set[bytes] = set()
        with self._reading() as database:
            for start in range(0, len(marks), 500):
                some = marks[start : start + 500]
                query = f"SELECT mark FROM marks WHERE mark IN ({','.join('?' * len(some))})"  # noqa: S608
                known.update(row[0] for row in database.execute(query, some))
        return set(marks) - known

    def prepare(self, pending: Pending, marks: Iterable[Iterable[bytes]]) -> None:
        """Remember a batch before its anchor is sent; `marks` are those of each of its snapshots."""
        packed = encoding.encode([[label, head] for label, head in pending.heads.items()])
        rows = [[twin, bit, each.start, each.end, label] for twin, bit, each, label in pending.snapshots]
        snapshots = encoding.encode(rows)
        with self._transaction() as database:
            database.execute(
                "INSERT INTO under_way VALUES (1, ?, ?, ?, ?, ?)",
                (pending.root, pending.count, str(pending.index_root), packed, snapshots),
            )
            numbered = ((mark, place) for place, some in enumerate(marks, start=1) for mark in some)
            database.executemany("INSERT OR IGNORE INTO marks VALUES (?, ?)", numbered)
            database.execute("DELETE FROM sent")

    def pending(self) -> Pending | None:
        """The batch under way, if a crash left one."""
        with self._reading() as database:
            row = database.execute("SELECT root, count, index_root, snapshots, heads FROM under_way").fetchone()
        if row is None:
            return None
        heads = {Digest(label): head for label, head in encoding.decode(row[4])}
        (some_label, *_) = heads  # an older version wrote batches of one stream, and did not say which
        snapshots = tuple(
            (twin, bit, Period(start, end), Digest(label[0]) if label else some_label)
            for twin, bit, start, end, *label in encoding.decode(row[3])
        )
        return Pending(Digest(row[0]), row[1], CID.decode(row[2]), snapshots, heads)

    def finish(self, base: Base, *, lost: Collection[int], forked: bool = False) -> None:
        """The batch under way is anchored, and the next goes on from `base`; from other stream ends than the batch's
        own, if it was `forked`. The readings of its snapshots at the places `lost` are as if never written."""
        with self._transaction() as database:
            heads = database.execute("SELECT heads FROM under_way").fetchone()[0]
            if forked:
                _follow(database, base)
            else:
                _set_base(database, base)
                database.executemany("INSERT OR REPLACE INTO streams VALUES (?, ?)", encoding.decode(heads))
            database.executemany("DELETE FROM marks WHERE pending = ?", ((place + 1,) for place in lost))
            database.execute("UPDATE marks SET pending = 0 WHERE pending")
            database.execute("DELETE FROM under_way")
            database.execute("DELETE FROM sent")

    # the transaction that carries the batch under way ---------------------------------------------------------

    def last(self) -> Sent | None:
        """The newest transaction that was about to be sent."""
        with self._reading() as database:
            row = database.execute("SELECT sent FROM sent").fetchone()
        if row is None:
            return None
        nonce, gas, fee, tip, hashes = encoding.decode(row[0])
        return Sent(nonce, gas, fee, tip, tuple(map(Digest, hashes)))

    def note(self, sent: Sent) -> None:
        """Remember a transaction before it is sent."""
        packed = encoding.encode([sent.nonce, sent.gas, sent.fee, sent.tip, list(sent.hashes)])
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO sent VALUES (1, ?)", (packed,))


def _follow(database: Connection, base: Base) -> None:
    database.execute("DELETE FROM streams")
    _set_base(database, base)


def _set_base(database: Connection, base: Base) -> None:
    root = str(base.index_root) if base.index_root else None
    database.execute("INSERT OR REPLACE INTO base VALUES (1, ?, ?)", (root, base.covers))

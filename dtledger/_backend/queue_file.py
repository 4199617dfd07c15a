"""A gateway's queue on disk, in one SQLite file: sealed rows, by the part (an hour of a twin's category) they are of.
Where it is told so the same tables lie in a PostgreSQL database.

What a gateway keeps of twins, devices, letters and calls of others lies beside them (`twin_tables`, `device_tables`,
`letter_tables`, `relay_tables`). What is committed is synced: it outlives a kill -9 and a power cut. Rows that are
deleted from a file are overwritten (`secure_delete`); of PostgreSQL nobody knows how long they lie. The queue is one
process's at a time. Rows are opaque here; `dtledger.gateway.queue` seals and names them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import DtledgerError, InputError
from .database_file import DatabaseFile, put
from .files import locked
from .http_errors import DiskFullError
from .postgresql import Server
from .queue_moving import move_in, take_away

_TABLES = """
CREATE TABLE IF NOT EXISTS readings (
    number INTEGER PRIMARY KEY AUTOINCREMENT, mark BLOB NOT NULL UNIQUE, part BLOB NOT NULL, closes INTEGER NOT NULL,
    at INTEGER NOT NULL, sealed BLOB NOT NULL, written_as BLOB, manifest TEXT, custody TEXT
);
CREATE INDEX IF NOT EXISTS parts ON readings (part, closes, at);
CREATE TABLE IF NOT EXISTS verdicts (number INTEGER PRIMARY KEY, sealed BLOB NOT NULL, later BLOB);
CREATE TABLE IF NOT EXISTS anchored (
    number INTEGER PRIMARY KEY, part BLOB NOT NULL, at INTEGER NOT NULL, sealed BLOB NOT NULL, manifest TEXT NOT NULL,
    verdict BLOB NOT NULL, later BLOB, until INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS anchored_parts ON anchored (part);
CREATE INDEX IF NOT EXISTS later ON anchored (number) WHERE later IS NOT NULL;
CREATE TABLE IF NOT EXISTS states (
    twin BLOB PRIMARY KEY, at INTEGER NOT NULL, sealed BLOB NOT NULL, told INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS untold ON states (told, at);
CREATE TABLE IF NOT EXISTS vital_states (
    twin BLOB PRIMARY KEY, at INTEGER NOT NULL, sealed BLOB NOT NULL, told INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS untold_vital ON vital_states (told, at);
CREATE TABLE IF NOT EXISTS newest (word BLOB PRIMARY KEY, at INTEGER NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS posts (key BLOB PRIMARY KEY, body BLOB NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS old_posts ON posts (at);
CREATE TABLE IF NOT EXISTS refused (part BLOB PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS letters (
    cid TEXT PRIMARY KEY, reader BLOB NOT NULL, at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS readers ON letters (reader);
CREATE TABLE IF NOT EXISTS letter_twins (cid TEXT PRIMARY KEY, twin BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS devices (name BLOB PRIMARY KEY, at INTEGER NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chains (name BLOB PRIMARY KEY, at INTEGER NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS relayed (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, contract TEXT NOT NULL, data BLOB NOT NULL,
    signer TEXT NOT NULL, at INTEGER NOT NULL, tries INTEGER NOT NULL, sender TEXT, nonce INTEGER,
    settled INTEGER NOT NULL, hash TEXT, block INTEGER, block_at INTEGER, status INTEGER, refusal BLOB
);
CREATE INDEX IF NOT EXISTS relayed_open ON relayed (sender, nonce, number) WHERE settled = 0;
CREATE INDEX IF NOT EXISTS relayed_refused ON relayed (number) WHERE settled = 1 AND refusal IS NOT NULL;
CREATE TABLE IF NOT EXISTS flights (
    sender TEXT NOT NULL, nonce INTEGER NOT NULL, sent BLOB NOT NULL, target TEXT NOT NULL, data BLOB NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (sender, nonce)
) WITHOUT ROWID;
"""

_HINT = "Free space, or make its folder writable: what it holds is unharmed."

_ADD = "INSERT INTO readings (mark, part, closes, at, sealed) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"

_LEND = (
    "INSERT INTO anchored SELECT number, part, at, readings.sealed, manifest, verdicts.sealed, later, ? "
    "FROM readings JOIN verdicts USING (number) WHERE number = ? AND manifest IS NOT NULL ON CONFLICT DO NOTHING"
)

_SIZE = "SELECT COUNT(*), COALESCE(SUM(LENGTH(sealed)), 0) FROM readings"


@dataclass(frozen=True, slots=True)
class Row:
    """One reading in the queue: `mark` says which it is, `part` where it belongs, `closes` when that is complete, `at`
    when it came (both unix seconds)."""

    mark: bytes
    part: bytes
    closes: int
    at: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A row with its number; its `verdict`, if its twin has taken it; and what it was written as, if a batch was begun
    with it: the mark in the writer's journal and the CIDs of its snapshot's manifest and custody block."""

    number: int
    at: int
    sealed: bytes
    written_as: bytes | None
    manifest: str | None
    custody: str | None
    verdict: bytes | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What is in a queue: rows, their bytes, parts, and when the oldest row came."""

    rows: int
    bytes: int
    parts: int
    oldest: int | None
    letters: int


class QueueFile(DatabaseFile):
    """The file at `path`, made if it is not there; or the tables in the server's schema, into which a file that lies at
    `path` is moved first.

    Raises:
        InputError: another process has it.
        DtledgerError: it cannot be read or written; what it held stays.
    """

    def __init__(self, path: Path, server: Server | None = None) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as held:
            try:
                held.enter_context(locked(path, timeout=0.0))
            except DtledgerError as error:
                raise InputError(
                    f"The queue {path} is another process's.", hint="Is the gateway running already?"
                ) from error
            pragmas = ("synchronous=FULL", "secure_delete=ON")
            place = path if server is None else replace(server, alone=True)
            super().__init__(place, _TABLES, "The queue", _HINT, pragmas)
            held.callback(super().close)
            if server is not None and path.exists():
                with self._transaction() as database:
                    move_in(path, database)
                take_away(path)
            with self._reading() as database:
                self._rows, self._bytes = database.execute(_SIZE).fetchone()
            self._held = held.pop_all()

    transaction = DatabaseFile._transaction
    reading = DatabaseFile._reading

    def close(self) -> None:
        self._held.close()

    def add(
        self,
        rows: Sequence[Row],
        key: bytes | None,
        body: bytes,
        at: int,
        chain: tuple[bytes, int, bytes] | None = None,
    ) -> int:
        """Keep rows, each once; returns how many are new. They are synced when this returns, and with them how far the
        `chain` of a device has come (name, time, and that, sealed). With the `key` of a post that was kept before
        nothing is added.

        Raises:
            InputError: that post had another body.
        """
        with self._transaction() as database:
            if key is not None:
                known = database.execute("SELECT body FROM posts WHERE key = ?", (key,)).fetchone()
                if known is not None and known[0] != body:
                    raise InputError(
                        "The idempotency key was used for other readings.", hint="Give each post a key of its own."
                    )
                if known is not None:
                    return 0
                database.execute("INSERT INTO posts VALUES (?, ?, ?)", (key, body, at))
            new = 0
            if rows:
                cells = ((row.mark, row.part, row.closes, row.at, row.sealed) for row in rows)
                new = database.executemany(_ADD, cells).rowcount
            if chain is not None:
                database.execute(put("chains", "name", "at", "sealed"), chain)
        with self._lock:  # rows of one post are as long, or nearly: it is looked at when some go
            self._rows += new
            self._bytes += sum(len(row.sealed) for row in rows) * new // max(len(rows), 1)
        return new

    def size(self) -> tuple[int, int]:
        """Rows and their bytes."""
        with self._lock:
            return self._rows, self._bytes

    def forget_posts(self, before: int) -> None:
        """Forget which posts came before that time."""
        with self._transaction() as database:
            database.execute("DELETE FROM posts WHERE at < ?", (before,))

    def due(self, now: int, came_before: int, skip: Collection[bytes]) -> list[tuple[bytes, int]]:
        """The parts that are complete, or whose first row came before that time, and when each is complete; those that
        came first before others."""
        query = (
            "SELECT part, MIN(closes) FROM readings GROUP BY part HAVING MIN(closes) <= ? OR MIN(at) <= ? "
            "ORDER BY MIN(number)"
        )
        with self._reading() as database:
            rows = database.execute(query, (now, came_before)).fetchall()
        return [(part, closes) for part, closes in rows if part not in skip]

    def closing_after(self, seconds: int) -> list[bytes]:
        """The parts that are complete after that time."""
        query = "SELECT DISTINCT part FROM readings WHERE closes > ? ORDER BY part"
        with self._reading() as database:
            return [part for (part,) in database.execute(query, (seconds,))]

    def rows(self, part: bytes) -> list[Kept]:
        query = (
            "SELECT number, at, readings.sealed, written_as, manifest, custody, COALESCE(later, verdicts.sealed) "
            "FROM readings LEFT JOIN verdicts USING (number) WHERE part = ? ORDER BY number"
        )
        with self._reading() as database:
            return [Kept(*row) for row in database.execute(query, (part,))]

    def note(self, written: Mapping[int, tuple[bytes, str, str]]) -> None:
        """A batch is about to be anchored: number → what its row will have been written as."""
        with self._transaction() as database:
            database.executemany(
                "UPDATE readings SET written_as = ?, manifest = ?, custody = ? WHERE number = ?",
                ((*what, number) for number, what in written.items()),
            )

    def delete(
        self,
        numbers: Sequence[int],
        letter: tuple[str, bytes, int] | None = None,
        *,
        lent: Sequence[int] = (),
        until: int = 0,
    ) -> None:
        """Forget rows for good; a `letter` (CID, its reader's tag, time) that holds them is remembered with that. Those
        `lent` to their twins, which may yet judge them otherwise, lie with the anchored ones until then."""
        with self._transaction() as database:
            database.executemany(_LEND, ((until, number) for number in lent))
            database.executemany("DELETE FROM readings WHERE number = ?", ((number,) for number in numbers))
            if letter is not None:
                database.execute("INSERT INTO letters VALUES (?, ?, ?) ON CONFLICT DO NOTHING", letter)
            database.executemany("DELETE FROM verdicts WHERE number = ?", ((number,) for number in numbers))
            database.execute("DELETE FROM refused WHERE part NOT IN (SELECT part FROM readings)")
        with self._reading() as database:
            if self._path is not None:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._rows, self._bytes = database.execute(_SIZE).fetchone()

    def refused_since(self, part: bytes, now: int) -> int:
        """When the part was refused first; now, if this is the first time."""
        with self._transaction() as database:
            database.execute("INSERT INTO refused VALUES (?, ?) ON CONFLICT DO NOTHING", (part, now))
            since: int = database.execute("SELECT since FROM refused WHERE part = ?", (part,)).fetchone()[0]
        return since

    def permitted(self, parts: Sequence[bytes]) -> None:
        """These parts were written after all."""
        with self._transaction() as database:
            database.executemany("DELETE FROM refused WHERE part = ?", ((part,) for part in parts))

    def letters(self, reader: bytes) -> list[str]:
        """The CIDs of the letters to that reader, the oldest first."""
        with self._reading() as database:
            rows = database.execute("SELECT cid FROM letters WHERE reader = ? ORDER BY at, cid", (reader,))
            return [cid for (cid,) in rows]

    def totals(self) -> Totals:
        query = "SELECT COUNT(*), COALESCE(SUM(LENGTH(sealed)), 0), COUNT(DISTINCT part), MIN(at) FROM readings"
        with self._reading() as database:
            rows, size, parts, oldest = database.execute(query).fetchone()
            (letters,) = database.execute("SELECT COUNT(*) FROM letters").fetchone()
        return Totals(rows, size, parts, oldest, letters)

    def _failure(self, error: Exception) -> DtledgerError:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
            return DiskFullError("The disk of the queue is full.", hint="Free space: what it holds is unharmed.")
        return super()._failure(error)

"""A deployment's logs, kept in a SQLite file or in PostgreSQL so that a client reads each block once.

The newest block seen is kept with its hash. A chain that no longer has that block is another one (a restart, a
reorganisation): everything kept is thrown away and read again.

Where the file cannot be written (a full disk, a read-only folder) the logs are kept in memory: nobody is kept from
reading, and least of all from revoking, for want of a cache. A PostgreSQL that does not answer is an error until it
does: without what it holds the whole chain would be read anew.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from ..errors import DtledgerError
from .database_file import Connection
from .postgresql import Server, ServerConnection

log = logging.getLogger(__name__)

SCHEMA = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS seen (block INTEGER NOT NULL, hash BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS logs (
    block INTEGER NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL, topics BLOB NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (block, place)
) WITHOUT ROWID;
"""


def schema_of(deployment: str) -> str:
    """Where in a PostgreSQL database the logs of the deployment of that `id` lie."""
    return f"dtledger_index_{deployment}"


class RawLog(NamedTuple):
    """A log as the node gave it; `topics` are 32 bytes each, one after another."""

    block: int
    place: int
    at: int
    topics: bytes
    data: bytes


class LogCache:
    """Logs up to a block. `path` None keeps them in memory.

    Raises:
        DtledgerError: the file is no cache, or is damaged.
        UnreachableError: the server does not answer.
    """

    def __init__(self, path: Path | Server | None) -> None:
        self._path = path
        try:
            if isinstance(path, Path):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database: Connection = _open(path)
        except (OSError, sqlite3.OperationalError) as error:
            log.warning("the ledger cache %s cannot be written (%s): it is kept in memory", path, error)
            self._database = _open(None)
        except sqlite3.Error as error:
            raise self._damaged(error) from error

    def seen(self) -> tuple[int, bytes] | None:
        """The newest block read, and its hash."""
        with self._translated():
            found: tuple[int, bytes] | None = self._database.execute("SELECT block, hash FROM seen").fetchone()
        return found

    def since(self, block: int) -> Generator[RawLog]:
        """The logs of blocks after `block`, in the chain's order."""
        query = "SELECT block, place, at, topics, data FROM logs WHERE block > ? ORDER BY block, place"
        with self._translated(), closing(self._database.execute(query, (block,))) as rows:
            yield from (RawLog(*row) for row in rows)

    def extend(self, logs: Iterable[RawLog], block: int, block_hash: bytes) -> None:
        """Add logs and the block that they reach to, in one transaction."""
        some = list(logs)
        try:
            self._extend(some, block, block_hash)
        except sqlite3.OperationalError as error:
            self._move_to_memory(error)
            self._extend(some, block, block_hash)

    def clear(self) -> None:
        try:
            self._clear()
        except sqlite3.OperationalError as error:
            self._move_to_memory(error)
            self._clear()

    def close(self) -> None:
        self._database.close()

    def _extend(self, logs: list[RawLog], block: int, block_hash: bytes) -> None:
        with self._database:
            if logs:
                self._database.executemany("INSERT INTO logs VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", logs)
            self._database.execute("DELETE FROM seen")
            self._database.execute("INSERT INTO seen VALUES (?, ?)", (block, block_hash))

    def _clear(self) -> None:
        with self._database:
            self._database.execute("DELETE FROM logs")
            self._database.execute("DELETE FROM seen")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite finds a damaged page when it comes to it."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _damaged(self, error: sqlite3.Error) -> DtledgerError:
        return DtledgerError(
            f"The ledger cache cannot be read ({error}).", hint=f"Delete {self._path}; it is made anew from the chain."
        )

    def _move_to_memory(self, error: sqlite3.Error) -> None:
        """Go on with a copy in memory; the file stays as it is, for the next process."""
        log.warning("the ledger cache cannot be written (%s): it is kept in memory", error)
        memory = sqlite3.connect(":memory:", check_same_thread=False)
        assert isinstance(self._database, sqlite3.Connection), "a server raises no error of SQLite's"
        with closing(self._database) as file:
            file.backup(memory)
        self._database = memory


def _open(path: Path | Server | None) -> Connection:
    if isinstance(path, Server):
        return ServerConnection(path, _TABLES, SCHEMA, disposable=True)
    database = sqlite3.connect(path or ":memory:", timeout=30, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA):
            database.executescript("DROP TABLE IF EXISTS seen; DROP TABLE IF EXISTS logs;")
        database.executescript(_TABLES + f"PRAGMA user_version={SCHEMA};")
    except sqlite3.Error:
        database.close()
        raise
    return database

"""A small SQLite file, or where it is told so a schema of a PostgreSQL database: made if it is not there, one
transaction at a time, and its errors in our words.

Statements for either are in the words of both: no `INSERT OR REPLACE`, but `ON CONFLICT`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, Protocol, Self

from ..errors import DtledgerError
from .postgresql import Server, ServerConnection


class Connection(Protocol):
    """What is the same of `sqlite3.Connection` and `ServerConnection`; as a context, a transaction."""

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Any: ...

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Any: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: Any) -> Any: ...


class DatabaseFile:
    """The file at `path` with these tables, or the `Server`'s schema, for any thread; None keeps them in memory. `what`
    is the word for it in errors, and `hint` what to do about them; `pragmas` are SQLite's.

    Raises:
        DtledgerError: it cannot be read or written; what it held stays.
        UnreachableError: the server does not answer; it is asked again at the next use.
    """

    def __init__(
        self, path: Path | Server | None, tables: str, what: str, hint: str, pragmas: Sequence[str] = ()
    ) -> None:
        self._path = None if isinstance(path, Server) else path
        self._what = what
        self._hint = hint
        self._lock = RLock()
        with self._translated():
            self._database: Connection = (
                ServerConnection(path, tables) if isinstance(path, Server) else _open(path, tables, pragmas)
            )

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """Committed at its end; what raises in it undoes it."""
        with self._reading() as database, database:
            yield database

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._lock, self._translated():
            yield self._database

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The one border where SQLite's errors become ours."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> DtledgerError:
        return DtledgerError(f"{self._what} {self._path} cannot be used: {error}.", hint=self._hint)


def put(table: str, key: str, *columns: str) -> str:
    """The statement that writes a row of a table with these columns, the first its key, over one that is there.

    >>> put("chains", "name", "at")
    'INSERT INTO chains (name, at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at'
    """
    names, marks = ", ".join((key, *columns)), ", ".join("?" * (1 + len(columns)))
    changed = ", ".join(f"{each} = excluded.{each}" for each in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {changed}"  # noqa: S608


def _open(path: Path | None, tables: str, pragmas: Sequence[str]) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = sqlite3.connect(path or ":memory:", timeout=30, check_same_thread=False)
    try:
        for pragma in ("journal_mode=WAL", *pragmas):
            database.execute(f"PRAGMA {pragma}")
        database.executescript(tables)
    except sqlite3.Error:
        database.close()
        raise
    return database

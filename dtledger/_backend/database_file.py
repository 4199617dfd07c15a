"""A small SQLite file: made if it is not there, one transaction at a time, and its errors in our words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from ..errors import DtledgerError


class DatabaseFile:
    """The file at `path` with these tables, for any thread; None keeps it in memory. `what` is the word for it in
    errors, and `hint` what to do about them.

    Raises:
        DtledgerError: it cannot be read or written; what it held stays.
    """

    def __init__(self, path: Path | None, tables: str, what: str, hint: str, pragmas: Sequence[str] = ()) -> None:
        self._path = path
        self._what = what
        self._hint = hint
        self._lock = RLock()
        with self._translated():
            if path is not None:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = sqlite3.connect(path or ":memory:", timeout=30, check_same_thread=False)
            try:
                for pragma in ("journal_mode=WAL", *pragmas):
                    self._database.execute(f"PRAGMA {pragma}")
                self._database.executescript(tables)
            except sqlite3.Error:
                self._database.close()
                raise

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Committed at its end; what raises in it undoes it."""
        with self._reading() as database, database:
            yield database

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
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

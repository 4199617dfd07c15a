"""Who put which block through a gateway, in one SQLite file: only who put a block may take it away again, and only if
nobody else wants it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..encoding import CID
from .database_file import DatabaseFile

SOMEBODY = ""
"""Whoever put what was in the store before."""

_TABLE = "CREATE TABLE IF NOT EXISTS put (cid TEXT NOT NULL, who TEXT NOT NULL, PRIMARY KEY (cid, who)) WITHOUT ROWID;"


class BlockPutters(DatabaseFile):
    """The file at `path`, made if it is not there; None keeps it in memory.

    Raises:
        DtledgerError: it cannot be read or written.
    """

    def __init__(self, path: Path | None) -> None:
        super().__init__(path, _TABLE, "The record of blocks", "Free space.")

    def remember(self, who: str, cids: Iterable[CID], there: Iterable[CID]) -> None:
        """`who` puts `cids`; those of them that are `there` and that nobody put through this gateway are somebody's."""
        with self._transaction() as database:
            for cid in there:
                known = database.execute("SELECT 1 FROM put WHERE cid = ?", (str(cid),)).fetchone()
                if known is None:
                    database.execute("INSERT INTO put VALUES (?, ?)", (str(cid), SOMEBODY))
            database.executemany("INSERT OR IGNORE INTO put VALUES (?, ?)", ((str(cid), who) for cid in cids))

    @contextmanager
    def forgetting(self, who: str, cids: Iterable[CID]) -> Iterator[list[CID]]:
        """`who` wants these no more; those that nobody wants now, of what they put, to be removed meanwhile.

        Whoever puts one waits for that, else it is taken away under their hands; if it fails, nothing is forgotten.
        """
        free = []
        with self._transaction() as database:
            for cid in dict.fromkeys(cids):
                gone = database.execute("DELETE FROM put WHERE cid = ? AND who = ?", (str(cid), who)).rowcount
                left = database.execute("SELECT 1 FROM put WHERE cid = ?", (str(cid),)).fetchone()
                if gone and left is None:
                    free.append(cid)
            yield free

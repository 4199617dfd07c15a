"""How much of what somebody used on a day (UTC), in one SQLite file: a restart gives nobody more.

Names of users are kept as they come; whoever passes them decides what they tell.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Lock

from ..errors import DtledgerError, LimitPassedError

_DAY = 86_400
_TABLE = """
CREATE TABLE IF NOT EXISTS used (
    day INTEGER NOT NULL, what TEXT NOT NULL, who TEXT NOT NULL, amount INTEGER NOT NULL,
    PRIMARY KEY (day, what, who)
) WITHOUT ROWID;
"""


class QuotaFile:
    """The file at `path`, made if it is not there; None keeps it in memory.

    Raises:
        DtledgerError: it cannot be read or written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = Lock()
        try:
            if path is not None:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = sqlite3.connect(path or ":memory:", timeout=30, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.executescript(_TABLE)
        except (sqlite3.Error, OSError) as error:
            raise self._failure(error) from error

    def close(self) -> None:
        self._database.close()

    def take(self, what: str, who: str, amount: int, most: int, now: int) -> None:
        """Use `amount` of the `most` that `who` has of it that day; a negative amount gives back.

        Raises:
            LimitPassedError: that would be more; nothing was used.
        """
        day = now // _DAY
        try:
            with self._lock, self._database as database:
                database.execute("DELETE FROM used WHERE day < ?", (day,))
                found = database.execute(
                    "SELECT amount FROM used WHERE day = ? AND what = ? AND who = ?", (day, what, who)
                ).fetchone()
                used = max((found[0] if found else 0) + amount, 0)
                if amount > 0 and used > most:
                    raise LimitPassedError(
                        f"That is more {what} than {most:,} a day.", limit=what, hint="Try tomorrow."
                    )
                database.execute("INSERT OR REPLACE INTO used VALUES (?, ?, ?, ?)", (day, what, who, used))
        except (sqlite3.Error, OSError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> DtledgerError:
        return DtledgerError(f"The record of quotas {self._path} cannot be used: {error}.", hint="Free space.")

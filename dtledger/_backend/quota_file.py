"""How much of what somebody used on a day (UTC), in one SQLite file: a restart gives nobody more.

Names of users are kept as they come; whoever passes them decides what they tell.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import LimitPassedError
from .database_file import DatabaseFile

_DAY = 86_400
_TABLE = """
CREATE TABLE IF NOT EXISTS used (
    day INTEGER NOT NULL, what TEXT NOT NULL, who TEXT NOT NULL, amount INTEGER NOT NULL,
    PRIMARY KEY (day, what, who)
) WITHOUT ROWID;
"""


class QuotaFile(DatabaseFile):
    """The file at `path`, made if it is not there; None keeps it in memory.

    Raises:
        DtledgerError: it cannot be read or written.
    """

    def __init__(self, path: Path | None) -> None:
        super().__init__(path, _TABLE, "The record of quotas", "Free space.")

    def take(self, what: str, who: str, amount: int, most: int, now: int) -> None:
        """Use `amount` of the `most` that `who` has of it that day; a negative amount gives back.

        Raises:
            LimitPassedError: that would be more; nothing was used.
        """
        day = now // _DAY
        with self._transaction() as database:
            database.execute("DELETE FROM used WHERE day < ?", (day,))
            query = "SELECT amount FROM used WHERE day = ? AND what = ? AND who = ?"
            found = database.execute(query, (day, what, who)).fetchone()
            used = max((found[0] if found else 0) + amount, 0)
            if amount > 0 and used > most:
                raise LimitPassedError(f"That is more {what} than {most:,} a day.", limit=what, hint="Try tomorrow.")
            database.execute("INSERT OR REPLACE INTO used VALUES (?, ?, ?, ?)", (day, what, who, used))

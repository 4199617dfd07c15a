"""How much of what somebody used on a day (UTC), in one SQLite file: a restart gives nobody more.

Names of users are kept as they come; whoever passes them decides what they tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import LimitPassedError
from .database_file import Connection, DatabaseFile

_DAY = 86_400
_TABLE = """
CREATE TABLE IF NOT EXISTS used (
    day INTEGER NOT NULL, what TEXT NOT NULL, who TEXT NOT NULL, amount INTEGER NOT NULL,
    PRIMARY KEY (day, what, who)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Use:
    """So much of something that somebody uses, of the most that they have a day; below zero it is given back."""

    what: str
    who: str
    amount: int
    most: int


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
        (refused,) = self.take_each([[Use(what, who, amount, most)]], now)
        if refused is not None:
            raise refused

    def take_each(self, wanted: Sequence[Sequence[Use]], now: int) -> list[LimitPassedError | None]:
        """For each of those that want something: all of it is used, or, with the error that says why, nothing."""
        day = now // _DAY
        with self._transaction() as database:
            database.execute("DELETE FROM used WHERE day < ?", (day,))
            return [self._take(database, day, uses) for uses in wanted]

    def _take(self, database: Connection, day: int, uses: Sequence[Use]) -> LimitPassedError | None:
        rows = []
        for use in uses:
            query = "SELECT amount FROM used WHERE day = ? AND what = ? AND who = ?"
            found = database.execute(query, (day, use.what, use.who)).fetchone()
            used = max((found[0] if found else 0) + use.amount, 0)
            if use.amount > 0 and used > use.most:
                return LimitPassedError(
                    f"That is more {use.what} than {use.most:,} a day.", limit=use.what, hint="Try tomorrow."
                )
            rows.append((day, use.what, use.who, used))
        database.executemany("INSERT OR REPLACE INTO used VALUES (?, ?, ?, ?)", rows)
        return None

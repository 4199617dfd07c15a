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
            told, used = self._weigh(database, day, wanted)
            rows = ((day, what, who, amount) for (what, who), amount in used.items())
            database.executemany("INSERT OR REPLACE INTO used VALUES (?, ?, ?, ?)", rows)
        return told

    def look_each(self, wanted: Sequence[Sequence[Use]], now: int) -> list[LimitPassedError | None]:
        """What `take_each` would say, and nothing is used."""
        with self._reading() as database:
            return self._weigh(database, now // _DAY, wanted)[0]

    def _weigh(
        self, database: Connection, day: int, wanted: Sequence[Sequence[Use]]
    ) -> tuple[list[LimitPassedError | None], dict[tuple[str, str], int]]:
        """The errors, and what has been used after those that have none, by what and who."""
        query = "SELECT amount FROM used WHERE day = ? AND what = ? AND who = ?"
        used: dict[tuple[str, str], int] = {}
        told: list[LimitPassedError | None] = []
        for uses in wanted:
            for use in uses:
                if (use.what, use.who) not in used:
                    found = database.execute(query, (day, use.what, use.who)).fetchone()
                    used[use.what, use.who] = found[0] if found else 0
            over = next((each for each in uses if 0 < each.amount > each.most - used[each.what, each.who]), None)
            told.append(None if over is None else _passed(over))
            if over is None:
                for use in uses:
                    used[use.what, use.who] = max(used[use.what, use.who] + use.amount, 0)
        return told, used


def _passed(use: Use) -> LimitPassedError:
    return LimitPassedError(f"That is more {use.what} than {use.most:,} a day.", limit=use.what, hint="Try tomorrow.")

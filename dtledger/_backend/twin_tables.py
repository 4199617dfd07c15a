"""What a gateway keeps of twins beside its queue, in the same database: their states, the verdicts on rows that they
took, and for a while the rows that were anchored, which a twin may yet judge otherwise.

State and verdicts are written in one transaction, so that a row is taken once, whatever dies when. All of it is opaque
here; `dtledger.gateway.known` seals and names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .database_file import put
from .queue_file import Kept, QueueFile


@dataclass(frozen=True, slots=True)
class Sealed:
    """Something sealed at a time (unix seconds), by a name that says nothing."""

    name: bytes
    at: int
    sealed: bytes


class TwinTables:
    """The tables of twins beside a queue's; `states` is the one of their states."""

    def __init__(self, file: QueueFile, states: Literal["states", "vital_states"] = "states") -> None:
        self._file = file
        self._states = states

    def take(self, verdicts: Mapping[int, bytes], later: Mapping[int, bytes], states: Sequence[Sealed]) -> None:
        """These rows were taken, earlier ones are judged otherwise, and these states came of it: all of it or, after a
        crash, nothing."""
        with self._file.transaction() as database:
            database.executemany("INSERT INTO verdicts VALUES (?, ?, NULL)", verdicts.items())
            for number, verdict in later.items():
                unwritten = "SELECT 1 FROM readings WHERE number = ? AND written_as IS NULL"
                if database.execute(unwritten, (number,)).fetchone():
                    database.execute("UPDATE verdicts SET sealed = ? WHERE number = ?", (verdict, number))
                else:
                    database.execute("UPDATE verdicts SET later = ? WHERE number = ?", (verdict, number))
                    database.execute("UPDATE anchored SET later = ? WHERE number = ?", (verdict, number))
            rows = ((each.name, each.at, each.sealed, 0) for each in states)
            database.executemany(put(self._states, "twin", "at", "sealed", "told"), rows)

    def states(self, twins: Sequence[bytes]) -> list[Sealed]:
        """Those of these twins that there are."""
        query = f"SELECT twin, at, sealed FROM {self._states} WHERE twin = ?"  # noqa: S608
        with self._file.reading() as database:
            found = (database.execute(query, (twin,)).fetchone() for twin in twins)
            return [Sealed(*row) for row in found if row is not None]

    def untold(self, most: int) -> list[Sealed]:
        """States that changed since they were last told, the oldest first."""
        query = f"SELECT twin, at, sealed FROM {self._states} WHERE told = 0 ORDER BY at, twin LIMIT ?"  # noqa: S608
        with self._file.reading() as database:
            return [Sealed(*row) for row in database.execute(query, (most,))]

    def settle(self, told: Sequence[bytes], remarked: Sequence[int] = ()) -> None:
        """The states of these twins, as they are, need not be told any more; the later verdicts on these rows are
        anchored, or cannot be."""
        if not told and not remarked:
            return
        with self._file.transaction() as database:
            query = f"UPDATE {self._states} SET told = 1 WHERE twin = ?"  # noqa: S608
            database.executemany(query, ((twin,) for twin in told))
            database.executemany("DELETE FROM anchored WHERE number = ?", ((number,) for number in remarked))

    def lent(self, part: bytes | None = None) -> dict[bytes, list[Kept]]:
        """The anchored rows of a part, as they are judged now; without one, by part those that are judged otherwise
        than they are anchored."""
        which = "later IS NOT NULL" if part is None else "part = ?"
        query = f"SELECT part, number, at, sealed, manifest, COALESCE(later, verdict) FROM anchored WHERE {which}"  # noqa: S608
        found: dict[bytes, list[Kept]] = {}
        with self._file.reading() as database:
            for name, number, at, sealed, manifest, verdict in database.execute(
                f"{query} ORDER BY number", () if part is None else (part,)
            ):
                found.setdefault(name, []).append(Kept(number, at, sealed, None, manifest, None, verdict))
        return found

    def forget(self, twins: Sequence[bytes] = (), *, now: int = 0, before: int = 0) -> None:
        """Forget these twins, those that took nothing since `before`, and what was lent until `now`; what is still to
        be marked anew stays until `before`, for its snapshot may be gone."""
        with self._file.transaction() as database:
            query = f"DELETE FROM {self._states} WHERE twin = ?"  # noqa: S608
            database.executemany(query, ((twin,) for twin in twins))
            database.execute(f"DELETE FROM {self._states} WHERE at < ?", (before,))  # noqa: S608
            database.execute("DELETE FROM newest WHERE at < ?", (before,))
            database.execute("DELETE FROM anchored WHERE until < ? AND later IS NULL OR until < ?", (now, before))

    def note_newest(self, newest: Sequence[Sealed], gone: Sequence[bytes] = ()) -> None:
        """Remember how far what is anchored goes, by word, and forget that of others."""
        with self._file.transaction() as database:
            rows = ((each.name, each.at, each.sealed) for each in newest)
            database.executemany(put("newest", "word", "at", "sealed"), rows)
            database.executemany("DELETE FROM newest WHERE word = ?", ((word,) for word in gone))

    def newest(self) -> list[Sealed]:
        with self._file.reading() as database:
            return [Sealed(*row) for row in database.execute("SELECT word, at, sealed FROM newest ORDER BY word")]

"""Of which twin each letter in a queue's file is, by a tag that says nothing (`dtledger.gateway.queue` makes it), so
that those of a twin that has ended are found."""

from __future__ import annotations

from collections.abc import Collection

from .queue_file import QueueFile


class LetterTables:
    """What is remembered of letters in a queue's file beside their readers (`QueueFile.delete`)."""

    def __init__(self, file: QueueFile) -> None:
        self._file = file

    def note(self, cid: str, twin: bytes) -> None:
        """A letter is about to be handed over."""
        with self._file.transaction() as database:
            database.execute("INSERT INTO letter_twins VALUES (?, ?) ON CONFLICT DO NOTHING", (cid, twin))

    def of(self, twins: Collection[bytes]) -> list[str]:
        """The CIDs of the letters of these twins."""
        query = "SELECT cid FROM letter_twins WHERE twin = ?"
        with self._file.reading() as database:
            return [cid for twin in twins for (cid,) in database.execute(query, (twin,))]

    def forget(self, cids: Collection[str]) -> None:
        """These letters are gone."""
        with self._file.transaction() as database:
            for table in ("letters", "letter_twins"):
                database.executemany(f"DELETE FROM {table} WHERE cid = ?", ((cid,) for cid in cids))  # noqa: S608

"""What a gateway refused of devices, in one SQLite file: every reason counted, and the newest refusals one by one.

It holds names of devices, numbers of batches, reasons and times; no value, twin or category.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .database_file import DatabaseFile

MOST_KEPT = 10_000
"""Refusals that are kept one by one, of all devices together: whoever floods a gateway fills no disk."""

_TABLES = """
CREATE TABLE IF NOT EXISTS refusals (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, device BLOB NOT NULL, batch INTEGER NOT NULL,
    code INTEGER NOT NULL, readings INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS devices ON refusals (device, number);
CREATE TABLE IF NOT EXISTS counts (
    device BLOB NOT NULL, code INTEGER NOT NULL, count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (device, code)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal: when, of which device (empty if of none that is known), the number that its batch had or 0, the
    reason's code, and how many readings it was of (0: the whole batch)."""

    at: int
    device: bytes
    batch: int
    code: int
    readings: int


@dataclass(frozen=True, slots=True)
class RefusalCount:
    """How often a device was refused for a reason, and when first and last (unix seconds)."""

    device: bytes
    code: int
    count: int
    first: int
    last: int


class RefusalFile(DatabaseFile):
    """The file at `path`, made if it is not there; None keeps it in memory.

    Raises:
        DtledgerError: it cannot be read or written.
    """

    def __init__(self, path: Path | None) -> None:
        super().__init__(path, _TABLES, "The record of refusals", "Free space.", ("synchronous=NORMAL",))

    def add(self, refusal: Refusal) -> None:
        """Keep a refusal; beyond `MOST_KEPT` the oldest goes, and stays counted."""
        count = (
            "INSERT INTO counts VALUES (?, ?, 1, ?, ?) "
            "ON CONFLICT (device, code) DO UPDATE SET count = count + 1, last = excluded.last"
        )
        what = (refusal.at, refusal.device, refusal.batch, refusal.code, refusal.readings)
        with self._transaction() as database:
            added = database.execute(
                "INSERT INTO refusals (at, device, batch, code, readings) VALUES (?, ?, ?, ?, ?)", what
            )
            database.execute("DELETE FROM refusals WHERE number <= ?", ((added.lastrowid or 0) - MOST_KEPT,))
            database.execute(count, (refusal.device, refusal.code, refusal.at, refusal.at))

    def newest(self, device: bytes, most: int) -> list[Refusal]:
        """The newest refusals of a device, the newest first."""
        query = "SELECT at, device, batch, code, readings FROM refusals WHERE device = ? ORDER BY number DESC LIMIT ?"
        with self._reading() as database:
            return [Refusal(*row) for row in database.execute(query, (device, most))]

    def counts(self, device: bytes) -> list[RefusalCount]:
        """Every reason that a device was refused for."""
        with self._reading() as database:
            query = "SELECT * FROM counts WHERE device = ? ORDER BY code"
            return [RefusalCount(*row) for row in database.execute(query, (device,))]

    def totals(self) -> dict[int, int]:
        """Reason's code → how often, of all devices."""
        with self._reading() as database:
            return dict(database.execute("SELECT code, SUM(count) FROM counts GROUP BY code ORDER BY code"))

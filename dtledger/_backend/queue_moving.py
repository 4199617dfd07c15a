"""A queue that lay in a file moves into a database, before anything else is done with it there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ..errors import DtledgerError, InputError
from .database_file import Connection
from .files import destroy

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"

_HINT = (
    "Start the gateway without the setting `queue` until `dtledger gateway status` says that nothing waits, take "
    "queue.db out of its folder, and set it again."
)


def move_in(path: Path, ours: Connection) -> None:
    """Copy all rows of the queue's file at `path` into the empty tables of `ours`, whose transaction is under way.

    A crash before the file was taken away leaves both alike, and the next start has nothing to copy.

    Raises:
        InputError: both hold something, and not the same.
        DtledgerError: the file cannot be read.
    """
    try:
        with closing(sqlite3.connect(path)) as theirs:
            names = [name for (name,) in theirs.execute(_TABLES)]
            brought = {name: theirs.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608
            counted = theirs.execute("SELECT name, seq FROM sqlite_sequence WHERE seq > 0").fetchall()
    except sqlite3.Error as error:
        raise DtledgerError(f"The queue {path} cannot be read: {error}.") from error
    there = {name: ours.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608
    if not any(there.values()):
        for name, rows in brought.items():
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                ours.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608
        for name, last in counted:  # numbers go on: what was anchored of the file is known by its own
            ours.execute("SELECT setval(pg_get_serial_sequence(?, 'number'), ?)", (name, last))
    elif any(set(brought[name]) != set(there[name]) for name in names):
        raise InputError(f"Both {path} and the database hold a queue.", hint=_HINT)


def take_away(path: Path) -> None:
    """Overwrite and remove a queue's file, with what lies beside it."""
    for each in ("-wal", "-shm", ""):
        destroy(path.with_name(path.name + each))

"""What a gateway keeps of devices that sign, in its queue's database: what their owners said, and how far each one's
chain has come. A chain is written with the readings that moved it, in one transaction (`QueueFile.add`). All of it is
opaque here; `dtledger.gateway.devices` seals and names it."""

from __future__ import annotations

from typing import Literal

from .database_file import put
from .queue_file import QueueFile
from .twin_tables import Sealed


class DeviceTables:
    """The tables of devices beside a queue's."""

    def __init__(self, file: QueueFile) -> None:
        self._file = file

    def keep(self, device: Sealed) -> None:
        """Keep what is known of a device, in place of what was."""
        with self._file.transaction() as database:
            row = (device.name, device.at, device.sealed)
            database.execute(put("devices", "name", "at", "sealed"), row)

    def find(self, kind: Literal["devices", "chains"], name: bytes) -> Sealed | None:
        """One of them."""
        with self._file.reading() as database:
            query = f"SELECT name, at, sealed FROM {kind} WHERE name = ?"  # noqa: S608 one of two words
            row = database.execute(query, (name,)).fetchone()
        return None if row is None else Sealed(*row)

    def names(self) -> list[bytes]:
        """Those of every device."""
        with self._file.reading() as database:
            return [name for (name,) in database.execute("SELECT name FROM devices ORDER BY at, name")]

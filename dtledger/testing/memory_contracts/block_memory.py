"""`contracts/BlockMemory.sol`."""

from __future__ import annotations

from ...ledger.events import Remembered
from .frame import Contract


class BlockMemory(Contract):
    """Storage: ("remembered", number of the block) → its hash."""

    def remember(self) -> None:
        before = self._frame.before
        if ("remembered", before.number) not in self._storage:
            self._storage["remembered", before.number] = before.hash
            self._emit(Remembered(before.number, before.hash))

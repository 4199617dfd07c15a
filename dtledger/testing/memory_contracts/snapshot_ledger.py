"""`contracts/SnapshotLedger.sol`."""

from __future__ import annotations

from ...ledger.events import BatchAnchored
from ...ledger.rejections import AlreadyAnchoredError, EmptyBatchError
from ...types import Digest
from .frame import Contract


class SnapshotLedger(Contract):
    """Storage: ("batch", sender, root)."""

    def anchor_batch(self, root: Digest, count: int, index: Digest) -> None:
        if count == 0:
            raise EmptyBatchError({})
        if ("batch", self._sender, root) in self._storage:
            raise AlreadyAnchoredError({"sender": self._sender, "root": root})
        self._storage["batch", self._sender, root] = count
        self._emit(BatchAnchored(self._sender, root, count, index))

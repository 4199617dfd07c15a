"""`contracts/SnapshotLedger.sol`."""

from __future__ import annotations

from ...ledger import messages
from ...ledger.events import BatchAnchored
from ...ledger.records import Anchored
from ...ledger.rejections import AlreadyAnchoredError, EmptyBatchError, StaleHistoryError
from ...types import ZERO_DIGEST, Address, Digest
from .frame import Contract


class SnapshotLedger(Contract):
    """Storage: ("batch", sender, root), ("history", sender)."""

    def anchor_batch(self, root: Digest, count: int, index: Digest) -> None:
        self._anchor(self._sender, root, count, index)

    def anchor_batch_signed(
        self,
        sender: Address,
        root: Digest,
        count: int,
        index: Digest,
        previous: Digest,
        deadline: int,
        signature: bytes,
    ) -> None:
        self._require_in_time(deadline)
        message = messages.anchor_batch(self._deployment, sender, root, count, index, previous, deadline)
        self._require_signed(sender, message, signature)
        present = self._history(sender)
        if previous != present:
            raise StaleHistoryError({"named": previous, "present": present})
        self._anchor(sender, root, count, index)

    def _anchor(self, sender: Address, root: Digest, count: int, index: Digest) -> None:
        if count == 0:
            raise EmptyBatchError({})
        if ("batch", sender, root) in self._storage:
            raise AlreadyAnchoredError({"sender": sender, "root": root})
        batch = Anchored(root, count, index, self._frame.before.number + 1, self._now)
        self._storage["batch", sender, root] = count
        self._storage["history", sender] = batch.after(self._history(sender))
        self._emit(BatchAnchored(sender, root, count, index))

    def _history(self, sender: Address) -> Digest:
        found: Digest = self._storage.get(("history", sender), ZERO_DIGEST)
        return found

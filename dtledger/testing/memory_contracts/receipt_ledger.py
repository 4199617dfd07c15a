"""`contracts/ReceiptLedger.sol`."""

from __future__ import annotations

from ...ledger.events import ReceiptsAnchored
from ...ledger.rejections import LogNotGrownError
from ...types import Digest
from .frame import Contract


class ReceiptLedger(Contract):
    """Storage: ("receipts", custodian) → how many of its receipts are anchored."""

    def anchor_receipts(self, root: Digest, count: int, last: Digest) -> None:
        present = self._storage.get(("receipts", self._sender), 0)
        if count <= present:
            raise LogNotGrownError({"named": count, "present": present})
        self._storage["receipts", self._sender] = count
        self._emit(ReceiptsAnchored(self._sender, root, count, last))

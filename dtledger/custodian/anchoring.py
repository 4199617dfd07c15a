"""What a custodian's receipt log owes to the ledger: it is anchored as it grows, and never behind what was anchored.

A log that lost its end, by an old copy or by design, has receipts that nobody would be told of. A custodian that finds
its own log so serves nobody until the log is whole again.
"""

from __future__ import annotations

import threading

from ..custody import ReceiptMap, ReceiptProof
from ..errors import IntegrityError
from ..ledger import Ledger, Receipt, View, calls
from ..ledger.rejections import LogNotGrownError
from .now import Identity
from .receipts import Receipts


class Anchoring:
    """One custodian's log and its anchors."""

    def __init__(self, key: Identity, ledger: Ledger, receipts: Receipts) -> None:
        self._key = key
        self._ledger = ledger
        self._receipts = receipts
        self._map: ReceiptMap | None = None
        """Of the newest anchor: asked for again and again while it stands."""
        self._lock = threading.Lock()

    def anchor(self) -> Receipt | None:
        """Anchor the log if it has grown since it was last; None if there is nothing new, or another process of this
        custodian anchored meanwhile.

        Raises:
            IntegrityError: the log is not what was anchored.
        """
        view = self._ledger.view()
        self.require_whole(view)
        present = view.receipt_anchor(self._key.address)
        made = self._receipts.map()
        if made.count <= (present.count if present else 0):
            return None
        try:
            return self._ledger.send(calls.anchor_receipts(made.root, made.count, made.last), self._key)
        except LogNotGrownError:
            return None

    def require_whole(self, view: View) -> None:
        """Pass if the log has every receipt that it had when it was last anchored.

        Raises:
            IntegrityError: it is behind its anchor, or went another way.
        """
        anchor = view.receipt_anchor(self._key.address)
        if anchor is None:
            return
        entry = self._receipts.at(anchor.count - 1)
        if entry is None or entry.receipt.hash != anchor.last:
            raise IntegrityError(
                f"The receipt log does not reach the {anchor.count} receipts that are anchored, so nothing is served.",
                party=self._key.address,
                hint="Bring back the log's missing end, or make a new custodian and let owners re-share.",
            )

    def proof(self, twin: int) -> ReceiptProof | None:
        """What the newest anchored map says of a twin. Raises as `require_whole`."""
        view = self._ledger.view()
        anchor = view.receipt_anchor(self._key.address)
        if anchor is None:
            return None
        self.require_whole(view)
        with self._lock:
            if self._map is None or self._map.count != anchor.count:
                self._map = self._receipts.map(anchor.count)
            return self._map.proof(twin)

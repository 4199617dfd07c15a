"""The ledger's port: what happened (`events`, `history`), what can be asked and written (`port`, `calls`), and
what people sign (`messages`). Implementations live in `dtledger._backend` and `dtledger.testing`."""

from __future__ import annotations

from .history import History
from .port import CONTRACTS, Call, Deployment, Ledger, Receipt, Sender
from .records import Batch, GrantRecord, Slot
from .view import View

__all__ = [
    "CONTRACTS",
    "Batch",
    "Call",
    "Deployment",
    "GrantRecord",
    "History",
    "Ledger",
    "Receipt",
    "Sender",
    "Slot",
    "View",
]

"""The ledger's port: what happened (`events`, `history`), what can be asked and written (`port`, `calls`), where and
when a decision is made (`now`), and what people sign (`messages`). Implementations live in `dtledger._backend` and
`dtledger.testing`."""

from __future__ import annotations

from .history import History
from .now import Now, Tip
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
    "Now",
    "Receipt",
    "Sender",
    "Slot",
    "Tip",
    "View",
]

"""The ledger's port: what happened (`events`, `history`), what can be asked and written (`port`, `calls`), where and
when a decision is made (`now`), and what people sign (`messages`). Implementations live in `dtledger._backend` and
`dtledger.testing`."""

from __future__ import annotations

from .history import History
from .now import Now, Tip
from .port import CONTRACTS, KEPT, RELAY, Call, Deployment, Ledger, Outbox, Receipt, Sender, Sent
from .records import (
    Aggregate,
    AnnouncedMove,
    Batch,
    GrantRecord,
    Model,
    Opening,
    Present,
    ReceiptAnchor,
    Remediation,
    Review,
    Round,
    Slot,
    TwinState,
    Update,
)
from .view import View

__all__ = [
    "CONTRACTS",
    "KEPT",
    "RELAY",
    "Aggregate",
    "AnnouncedMove",
    "Batch",
    "Call",
    "Deployment",
    "GrantRecord",
    "History",
    "Ledger",
    "Model",
    "Now",
    "Opening",
    "Outbox",
    "Present",
    "Receipt",
    "ReceiptAnchor",
    "Remediation",
    "Review",
    "Round",
    "Sender",
    "Sent",
    "Slot",
    "Tip",
    "TwinState",
    "Update",
    "View",
]

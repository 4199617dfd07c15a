"""The contracts of `contracts/`, once more, for a ledger without a chain.

Each class has the functions of the contract of its name and the same order of questions, so that whatever it refuses
it refuses with the same error and the same arguments. What contracts alone can do (ERC-1271 signers, changes of
governance's roles) is not here. `tests/ledger` runs the same calls on both.
"""

from __future__ import annotations

from .access_manager import DELAYED_ROLES, ROLES, AccessManager
from .block_memory import BlockMemory
from .consent_registry import ConsentRegistry
from .facts import StoredFacts
from .frame import Contract, Frame, Storage
from .member_registry import MemberRegistry
from .model_ledger import ModelLedger
from .receipt_ledger import ReceiptLedger
from .snapshot_ledger import SnapshotLedger
from .succession import NUMBERS
from .twin_registry import TwinRegistry

CONTRACTS: dict[str, type[Contract]] = {
    "AccessManager": AccessManager,
    "MemberRegistry": MemberRegistry,
    "TwinRegistry": TwinRegistry,
    "ConsentRegistry": ConsentRegistry,
    "SnapshotLedger": SnapshotLedger,
    "ReceiptLedger": ReceiptLedger,
    "ModelLedger": ModelLedger,
    "BlockMemory": BlockMemory,
}

__all__ = [
    "CONTRACTS",
    "DELAYED_ROLES",
    "NUMBERS",
    "ROLES",
    "AccessManager",
    "ConsentRegistry",
    "Contract",
    "Frame",
    "Storage",
    "StoredFacts",
]

"""A custodian in the process: the order of work, its receipts and its key pairs. A service wraps the same class."""

from __future__ import annotations

from .core import Custodian
from .receipts import MemoryReceipts, ReceiptLog, Receipts
from .twin_keys import FileTwinKeys, MemoryTwinKeys, TwinKeys

__all__ = [
    "Custodian",
    "FileTwinKeys",
    "MemoryReceipts",
    "MemoryTwinKeys",
    "ReceiptLog",
    "Receipts",
    "TwinKeys",
]

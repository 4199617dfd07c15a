"""A custodian in the process: the order of work, its receipts, its key pairs, the letters that it keeps.

A service wraps the same class.
"""

from __future__ import annotations

from .core import Custodian
from .letters import FileLetters, Letters, MemoryLetters
from .limits import DailyLimit, LimitAtOnce, MinuteLimit
from .now import Patience
from .receipt_database import ReceiptDatabase
from .receipts import MemoryReceipts, ReceiptLog, Receipts
from .twin_keys import FileTwinKeys, MemoryTwinKeys, TwinKeys

__all__ = [
    "Custodian",
    "DailyLimit",
    "FileLetters",
    "FileTwinKeys",
    "Letters",
    "LimitAtOnce",
    "MemoryLetters",
    "MemoryReceipts",
    "MemoryTwinKeys",
    "MinuteLimit",
    "Patience",
    "ReceiptDatabase",
    "ReceiptLog",
    "Receipts",
    "TwinKeys",
]

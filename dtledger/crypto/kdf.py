"""HKDF-SHA256 (RFC 5869) with the labels that keep one secret's keys apart.

Each use of a secret has a label of its own, so no key of one use equals a key of another.

>>> tree = derive(bytes(32), Label.KEY_TREE, b"x")
>>> tree == derive(bytes(32), Label.LINK, b"x")
False
"""

from __future__ import annotations

from enum import Enum

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Label(Enum):
    """What a key is for. A new way to derive gets a new label; none is ever used for something else."""

    KEY_TREE = b"dtledger/v1/key-tree"
    CONTENT = b"dtledger/v1/content"
    LINK = b"dtledger/v1/link"
    RECOVERY = b"dtledger/v1/recovery"
    BACKUP = b"dtledger/v1/backup"


def derive(secret: bytes, label: Label, *parts: bytes, length: int = 32) -> bytes:
    """`length` bytes by HKDF-SHA256 of `secret`, without salt, with info = label ‖ 0x00 ‖ parts.

    Every part but the last has a fixed width for its label, so that two lists of parts never join to the same bytes.
    """
    return HKDF(SHA256(), length, None, b"\0".join((label.value, b"".join(parts)))).derive(secret)

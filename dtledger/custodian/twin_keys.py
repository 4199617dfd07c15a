"""A custodian's key pairs, one for each (twin, owner): random, never derived from anything, in no backup.

They lie apart from the receipts. Destroying a pair makes every snapshot under it unreadable for this custodian.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .._backend.files import locked, write_atomically
from ..crypto.seal import SealKey
from ..errors import KeyFileError
from ..types import Address


class TwinKeys(Protocol):
    def obtain(self, twin: int, owner: Address) -> SealKey:
        """The pair for this twin and owner, drawn and kept at the first call."""
        ...

    def all_of(self, twin: int) -> list[SealKey]:
        """Every pair for the twin: its present owner's and earlier ones'."""
        ...


class MemoryTwinKeys:
    """Pairs that end with the process."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[int, Address], SealKey] = {}

    def obtain(self, twin: int, owner: Address) -> SealKey:
        return self._pairs.setdefault((twin, owner), SealKey.generate())

    def all_of(self, twin: int) -> list[SealKey]:
        return [pair for (each, _), pair in self._pairs.items() if each == twin]


class FileTwinKeys:
    """Pairs in files of one folder, each encrypted by AES-256-GCM under `wrapping_key` (32 bytes)."""

    def __init__(self, folder: Path, wrapping_key: bytes) -> None:
        self._folder = folder
        self._cipher = AESGCM(wrapping_key)
        self._open: dict[Path, SealKey] = {}

    def obtain(self, twin: int, owner: Address) -> SealKey:
        path = self._folder / f"{twin}-{owner}.key"
        with locked(path):
            if not path.exists():
                nonce = secrets.token_bytes(12)
                pair = SealKey.generate()
                write_atomically(path, nonce + self._cipher.encrypt(nonce, pair.seed, path.name.encode()))
        return self._read(path)

    def all_of(self, twin: int) -> list[SealKey]:
        return [self._read(path) for path in sorted(self._folder.glob(f"{twin}-0x*.key"))]

    def _read(self, path: Path) -> SealKey:
        if path not in self._open:
            data = path.read_bytes()
            try:
                seed = self._cipher.decrypt(data[:12], data[12:], path.name.encode())
            except InvalidTag as error:
                raise KeyFileError(
                    f"The custodian's key file {path.name} is damaged, or the key is another's."
                ) from error
            self._open[path] = SealKey(seed)
        return self._open[path]

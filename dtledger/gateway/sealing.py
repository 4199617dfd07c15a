"""What a gateway keeps beside its queue, sealed: a value opens under its own name alone, a verdict for its row."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from .. import encoding
from .._backend.queue_file import Kept
from .._backend.twin_tables import Sealed
from ..crypto.padding import pad, unpad
from ..errors import IntegrityError

PADDED_BYTES, LARGE_BYTES = 256, 4096
"""What is padded to: else the size of a verdict says that there is one, and that of an age of what it is."""

_NONCE_BYTES = 12
_DAY = 86_400


class Seal:
    """Seals under keys made of `key`. `named` names things so that the names tell nothing."""

    def __init__(self, key: bytes, named: Callable[..., bytes], clock: Callable[[], int]) -> None:
        self._key = key
        self._named = named
        self._clock = clock
        self._ciphers: dict[int, AESGCM] = {}

    def name(self, kind: str, *what: Any) -> bytes:
        """A name that is always the same, and says nothing to whoever lacks the key."""
        return self._named(kind, *what)

    def word(self, twin: int, category: str) -> str:
        """A word for a twin's category that says neither, and is always the same."""
        return word_of(self.name("word", twin, category))

    def close(self, name: bytes, value: Any) -> Sealed:
        """The value, sealed under that name."""
        now = self._clock()
        return Sealed(name, now, self._encrypt(now, encoding.encode(value), name))

    def open(self, found: Sealed) -> Any:
        """What was sealed.

        Raises:
            IntegrityError: it is not what was sealed under that name.
        """
        return encoding.decode(self._decrypt(found.at, found.sealed, found.name))

    def verdict(self, row: Kept, quality: str, why: str) -> bytes:
        """What a twin found of a row."""
        return self._encrypt(row.at, encoding.encode([quality, why]), _judged(row))

    def judged(self, row: Kept, quality: str) -> tuple[str, str]:
        """Quality and reason of a row whose source gave it that quality.

        Raises:
            IntegrityError: the verdict on it is not what was sealed for it.
        """
        if row.verdict is None:
            return quality, ""
        quality, why = encoding.decode(self._decrypt(row.at, row.verdict, _judged(row)))
        return quality, why

    def _encrypt(self, at: int, plain: bytes, bound: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        padded = pad(plain, PADDED_BYTES if len(plain) < LARGE_BYTES else LARGE_BYTES)
        return nonce + self._cipher(at).encrypt(nonce, padded, bound)

    def _decrypt(self, at: int, sealed: bytes, bound: bytes) -> bytes:
        try:
            return unpad(self._cipher(at).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound))
        except InvalidTag as error:
            raise IntegrityError("what lies beside a queue was changed") from error

    def _cipher(self, at: int) -> AESGCM:
        """A key a day: of one key there must be fewer than 2³² random nonces (NIST SP 800-38D, 8.3)."""
        day = at // _DAY
        cipher = self._ciphers.get(day)
        if cipher is None:
            if len(self._ciphers) > 64:  # of a clock that was set anew, say
                self._ciphers.clear()
            cipher = AESGCM(HKDFExpand(SHA256(), 32, f"day {day}".encode()).derive(self._key))
            self._ciphers[day] = cipher
        return cipher


def word_of(name: bytes) -> str:
    """A name as people read it."""
    return name.hex()[:12]


def _judged(row: Kept) -> bytes:
    """What a verdict is sealed for: its row's own mark."""
    return b"verdict" + row.sealed[:16]

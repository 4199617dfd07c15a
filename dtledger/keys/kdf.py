"""From a password to a key: scrypt (RFC 7914)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

__all__ = ["STRONG", "Scrypt"]

_MOST_MEMORY = 2**30
"""Bytes. A file that asks for more would only stop the reader."""


@dataclass(frozen=True, slots=True)
class Scrypt:
    """The cost of one guess: 128·n·r bytes of memory, and time in proportion to n·r·p."""

    n: int = 2**17
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        if not (self.n > 1 and self.n & (self.n - 1) == 0 and 0 < self.r <= 64 and 0 < self.p <= 16):
            raise ValueError("scrypt is used with a power of two n, r from 1 to 64 and p from 1 to 16")
        if 128 * self.n * self.r > _MOST_MEMORY:
            raise ValueError("scrypt would need more than 1 GiB of memory")

    def derive(self, password: str, salt: bytes) -> bytes:
        """Thirty-two bytes."""
        memory = 128 * self.r * (self.n + self.p + 2)
        return hashlib.scrypt(
            password.encode(), salt=salt, n=self.n, r=self.r, p=self.p, maxmem=memory + 2**20, dklen=32
        )


STRONG = Scrypt()
"""About 0.4 s and 128 MiB a guess (n = 2^17, r = 8, p = 1: OWASP's first choice for scrypt)."""

"""The few types that every layer shares.

Times are unix seconds and end in ``at``; data periods are whole unix minutes, both ends included.

>>> Period(10, 12).minutes
3
>>> Period(10, 12).contains(Period(11, 12))
True
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

Address = NewType("Address", str)
"""An EIP-55 checksummed account or contract address (`dtledger.encoding.address` makes one)."""

Digest = NewType("Digest", bytes)
"""Thirty-two bytes of SHA-256 (blocks) or Keccak-256 (whatever a contract recomputes)."""

ZERO_ADDRESS = Address("0x0000000000000000000000000000000000000000")
ZERO_DIGEST = Digest(bytes(32))

MAX_MINUTE = 2**30 - 1
"""The last minute a key tree has a leaf for: in the year 4011."""


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A data period in whole unix minutes, both ends included."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end <= MAX_MINUTE:
            raise ValueError(f"a period must run forwards within 0..{MAX_MINUTE}: [{self.start}, {self.end}]")

    @property
    def minutes(self) -> int:
        return self.end - self.start + 1

    def contains(self, other: Period) -> bool:
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Period) -> bool:
        return self.start <= other.end and other.start <= self.end


@dataclass(frozen=True, slots=True)
class Head:
    """A block as the tip of a node's view: number, hash and timestamp (unix seconds)."""

    number: int
    hash: Digest
    at: int

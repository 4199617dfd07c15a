"""Guardians as the ledger knows them: what an owner's digest of them opens to, and what owner and guardians sign.

>>> some = Guardians.of(2, ["0x00000000000000000000000000000000000000bb", "0x00000000000000000000000000000000000000Aa"],
...                     bytes(32))
>>> some.addresses
('0x00000000000000000000000000000000000000Aa', '0x00000000000000000000000000000000000000bb')
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ..encoding import keccak
from ..types import Address, Digest
from .messages import struct_hash, typed_digest, word
from .port import Deployment

GUARDIANS = "Guardians(uint8 needed,address[] addresses,bytes32 salt)"
SET_GUARDIANS = "SetGuardians(uint256 twin,bytes32 guardians,uint32 recoveryDelay,uint32 counter,uint40 deadline)"
ANNOUNCE_MOVE = "AnnounceMove(uint256 twin,address to,uint32 counter,uint40 deadline)"

Counted = Literal["Freeze", "Unfreeze", "VetoMove", "RescueTwin"]
"""Messages that name a twin, its counter and a deadline, and nothing more."""

LEAST_DELAY, GREATEST_DELAY = 2 * 86_400, 30 * 86_400
"""Seconds that a move by guardians may be made to wait."""

MESSAGE_LIFE = 3 * 86_400
"""The longest that a message of guardians may have to live, in seconds."""


@dataclass(frozen=True, slots=True)
class Guardians:
    """Who they are and how many of them act together. Addresses ascend, as the contract asks."""

    needed: int
    addresses: tuple[Address, ...]
    salt: bytes

    @classmethod
    def of(cls, needed: int, addresses: Iterable[str], salt: bytes) -> Guardians:
        """Of addresses in any order.

        Raises:
            ValueError: one of them twice, or as many as `needed` could never be.
        """
        ordered = tuple(Address(each) for each in sorted(addresses, key=str.lower))
        if len({each.lower() for each in ordered}) != len(ordered):
            raise ValueError("the same guardian twice")
        if not 1 <= needed <= min(len(ordered), 255):
            raise ValueError(f"{needed} of {len(ordered)} guardians")
        return cls(needed, ordered, salt)

    @property
    def digest(self) -> Digest:
        """What the ledger holds of them."""
        listed = keccak(b"".join(word(each) for each in self.addresses))
        return struct_hash(GUARDIANS, self.needed, listed, self.salt)


@dataclass(frozen=True, slots=True)
class GuardianSignature:
    """One guardian's signature over what several do together."""

    guardian: Address
    signature: bytes


def set_guardians(
    deployment: Deployment, twin: int, guardians: Digest, recovery_delay: int, counter: int, deadline: int
) -> Digest:
    hashed = struct_hash(SET_GUARDIANS, twin, guardians, recovery_delay, counter, deadline)
    return typed_digest(deployment, "TwinRegistry", hashed)


def announce_move(deployment: Deployment, twin: int, to: Address, counter: int, deadline: int) -> Digest:
    return typed_digest(deployment, "TwinRegistry", struct_hash(ANNOUNCE_MOVE, twin, to, counter, deadline))


def counted(deployment: Deployment, kind: Counted, twin: int, counter: int, deadline: int) -> Digest:
    hashed = struct_hash(f"{kind}(uint256 twin,uint32 counter,uint40 deadline)", twin, counter, deadline)
    return typed_digest(deployment, "TwinRegistry", hashed)

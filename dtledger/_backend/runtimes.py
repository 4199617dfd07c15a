"""A contract's runtime code, and which of it a constructor fills in: what code on a chain is compared with.

Immutable values (addresses, the genesis hash) stand in the code on the chain and not in the compiler's output; their
places, which the compiler names, are left out of the comparison and checked against the deployment.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

from ..ledger import CONTRACTS
from .artifacts import runtime


@dataclass(frozen=True, slots=True)
class Runtime:
    """A contract's runtime code, and where each of its immutables stands: (start, length) in bytes."""

    code: bytes
    immutables: tuple[tuple[tuple[int, int], ...], ...]

    @classmethod
    def of(cls, built: dict[str, Any]) -> Runtime:
        """From the compiler's output: `object` in hex and `immutableReferences`."""
        places = [
            tuple(sorted((each["start"], each["length"]) for each in found))
            for found in built["immutableReferences"].values()
        ]
        return cls(bytes.fromhex(built["object"].removeprefix("0x")), tuple(sorted(places)))

    def matches(self, on_chain: bytes) -> bool:
        """Whether `on_chain` is this code with any immutables filled in."""
        return len(on_chain) == len(self.code) and self._blank(on_chain) == self._blank(self.code)

    def filled(self, on_chain: bytes) -> list[set[bytes]]:
        """Of each immutable what stands in its places: one value, in code that a constructor made."""
        return [{on_chain[start : start + length] for start, length in places} for places in self.immutables]

    def _blank(self, code: bytes) -> bytes:
        blanked = bytearray(code)
        for start, length in chain.from_iterable(self.immutables):
            blanked[start : start + length] = bytes(length)
        return bytes(blanked)


@cache
def shipped() -> dict[str, Runtime]:
    """Each contract's runtime as this package ships it."""
    return {name: Runtime.of(runtime(name)) for name in CONTRACTS}

"""Where the contracts keep what: the storage layout that the compiler gives for the code that this package ships.

A layout says something of a contract only if the code on the chain is that code, which the claim `code` says.

Source: Solidity documentation, "Layout of State Variables in Storage": the value of a mapping at slot p under key k
lies at keccak256(k . p), each in 32 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

from .._backend.artifacts import Field, layout
from ..encoding import keccak
from ..ledger.messages import word

Place = int
"""A slot of storage."""

Key = int | str | bytes
"""What a mapping is asked by: a number, an address or 32 bytes."""


def variable(contract: str, name: str) -> Place:
    """The slot of a variable."""
    return layout(contract)[name].slot


def mapped(contract: str, name: str, *keys: Key) -> Place:
    """The first slot of what a mapping (of mappings) has under these keys."""
    place = variable(contract, name)
    for key in keys:
        place = int.from_bytes(keccak(word(key) + place.to_bytes(32)))
    return place


def words_of(contract: str, name: str, *keys: Key) -> list[Place]:
    """The slots of the struct that a mapping has under these keys."""
    first = mapped(contract, name, *keys)
    return [first + each for each in range(1 + max(place.slot for place in layout(contract)[name].fields.values()))]


def fields(contract: str, name: str, words: list[int]) -> Mapping[str, int]:
    """The fields of a struct, from the words that it takes, the first first."""
    return {each: _field(place, words) for each, place in layout(contract)[name].fields.items()}


def _field(place: Field, words: list[int]) -> int:
    return words[place.slot] >> 8 * place.offset & (1 << 8 * place.size) - 1

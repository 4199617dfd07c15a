"""Which bit of a grant means which category: a permutation drawn once for a twin, hidden behind a commitment.

The ledger shows bits; only insiders know their names. The root over 32 salted leaves stands in the twin card, so the
meaning of one bit can be proved without telling any other. Leaf of a bit = keccak(keccak(bit ‖ category number ‖
salt)), each in 32 bytes. The tree is ordered: the five binary digits of a bit's number say, from the lowest, whether
its node is the left (0) or the right (1) one, so each bit has one leaf, and an owner cannot prove two meanings of it.

A holder of a part knows all 32 leaves but only its own names and salts.

>>> bits = BitMap.draw()
>>> part = bits.only(["glucose"])
>>> part.name_of(part.bit_of("glucose")), part.root == bits.root
('glucose', True)
>>> verify(bits.root, part.prove(part.bit_of("glucose")))
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..encoding import keccak
from ..errors import AccessDeniedError, IntegrityError
from ..types import Digest
from ..vocabulary import CATEGORIES, Reason, category
from ..vocabulary.categories import CATEGORY_BITS
from .merkle import leaf

__all__ = ["BitMap", "BitProof", "verify"]

_LEVELS = 5
_NAMES = {each.number: each.name for each in CATEGORIES}


@dataclass(frozen=True, slots=True)
class BitProof:
    """One bit's meaning: `path` are the siblings from its leaf up to the root."""

    bit: int
    category: int
    salt: bytes = field(repr=False)
    path: tuple[bytes, ...] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        return {"bit": self.bit, "category": self.category, "salt": self.salt, "path": list(self.path)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> BitProof:
        """The proof that `to_dict` wrote. Raises IntegrityError if it is not one."""
        match value:
            case {"bit": int(bit), "category": int(number), "salt": bytes(salt), "path": [*path]} if (
                _is_opening(bit, number, salt)
                and len(path) == _LEVELS
                and all(isinstance(each, bytes) and len(each) == 32 for each in path)
            ):
                return cls(bit, number, salt, tuple(path))
        raise IntegrityError("a proof of a category bit is malformed")


@dataclass(frozen=True, slots=True)
class BitMap:
    """The permutation, whole (the owner's) or in part (a grantee's).

    `leaves[bit]` are the 32 commitments; `openings[bit]` is (category number, salt), or None where it is not known.
    """

    leaves: tuple[bytes, ...]
    openings: tuple[tuple[int, bytes] | None, ...]

    def __post_init__(self) -> None:
        if len(self.leaves) != CATEGORY_BITS or len(self.openings) != CATEGORY_BITS:
            raise ValueError(f"a map of category bits has {CATEGORY_BITS} leaves and as many openings")
        known = [opening[0] for opening in self.openings if opening]
        if len(set(known)) != len(known):
            raise IntegrityError("two category bits claim one category")
        for bit, opening in enumerate(self.openings):
            if opening and _leaf(bit, *opening) != self.leaves[bit]:
                raise IntegrityError(f"category bit {bit} does not mean what its commitment says")

    def __repr__(self) -> str:
        return f"BitMap({sum(opening is not None for opening in self.openings)} of {CATEGORY_BITS} bits known)"

    @classmethod
    def draw(cls) -> BitMap:
        """A new random permutation of all 32 numbers, those still free included, with new random salts."""
        numbers = list(range(CATEGORY_BITS))
        secrets.SystemRandom().shuffle(numbers)
        openings = tuple((number, secrets.token_bytes(32)) for number in numbers)
        return cls(tuple(_leaf(bit, *opening) for bit, opening in enumerate(openings)), openings)

    def only(self, names: Iterable[str]) -> BitMap:
        """The part that knows these categories alone: what a package holds."""
        mask = self.mask(names)
        return BitMap(self.leaves, tuple(each if mask >> bit & 1 else None for bit, each in enumerate(self.openings)))

    def bit_of(self, name: str) -> int:
        """The bit of a category.

        Raises:
            ValueError: there is no such category.
            AccessDeniedError: this part does not know its bit (reason CATEGORY): never a guess.
        """
        number = category(name).number
        for bit, opening in enumerate(self.openings):
            if opening and opening[0] == number:
                return bit
        raise AccessDeniedError(
            f"no package at hand tells the bit of category {name!r} of this twin.",
            reason=Reason.CATEGORY,
            hint="Ask the owner for a grant that covers it.",
        )

    def name_of(self, bit: int) -> str:
        """The category's name, or `bit 13` where it is not known."""
        opening = self.openings[bit]
        return _NAMES.get(opening[0], f"bit {bit}") if opening else f"bit {bit}"

    def mask(self, names: Iterable[str]) -> int:
        """The categories word of a grant: the bits of these names. Raises as `bit_of`."""
        mask = 0
        for name in names:
            mask |= 1 << self.bit_of(name)
        return mask

    def names_in(self, mask: int) -> tuple[str, ...]:
        """What a grant's categories word says, lowest bit first, each by `name_of`."""
        return tuple(self.name_of(bit) for bit in range(CATEGORY_BITS) if mask >> bit & 1)

    @property
    def root(self) -> Digest:
        """The commitment that stands in the twin card."""
        return Digest(self._levels()[-1][0])

    def prove(self, bit: int) -> BitProof:
        """The proof of one known bit's meaning.

        Raises:
            ValueError: its meaning is not known here.
        """
        opening = self.openings[bit]
        if opening is None:
            raise ValueError(f"the meaning of bit {bit} is not known here")
        path = tuple(level[bit >> height ^ 1] for height, level in enumerate(self._levels()[:-1]))
        return BitProof(bit, *opening, path)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for canonical CBOR. It holds the salts: only ever inside a seal or a key file."""
        known = [[bit, *opening] for bit, opening in enumerate(self.openings) if opening]
        return {"leaves": list(self.leaves), "known": known}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> BitMap:
        """The map that `to_dict` wrote; every opening is checked against its leaf.

        Raises:
            IntegrityError: it is not one.
        """
        openings: list[tuple[int, bytes] | None] = [None] * CATEGORY_BITS
        match value:
            case {"leaves": [*leaves], "known": [*known], **rest} if (
                not rest
                and len(leaves) == CATEGORY_BITS
                and all(isinstance(each, bytes) and len(each) == 32 for each in leaves)
            ):
                for row in known:
                    match row:
                        case [int(bit), int(number), bytes(salt)] if (
                            _is_opening(bit, number, salt) and not openings[bit]
                        ):
                            openings[bit] = number, salt
                        case _:
                            raise IntegrityError("a known category bit is not [bit, category number, salt]")
                return cls(tuple(leaves), tuple(openings))
        raise IntegrityError("a map of category bits is malformed")

    def _levels(self) -> list[tuple[bytes, ...]]:
        levels: list[tuple[bytes, ...]] = [self.leaves]
        for _ in range(_LEVELS):
            last = levels[-1]
            levels.append(tuple(keccak(last[i] + last[i + 1]) for i in range(0, len(last), 2)))
        return levels


def verify(root: bytes, proof: BitProof) -> None:
    """Pass if the twin card of `root` commits to the meaning that `proof` shows.

    Raises:
        IntegrityError: it does not.
    """
    if len(proof.path) != _LEVELS or not _is_opening(proof.bit, proof.category, proof.salt):
        raise IntegrityError("a proof of a category bit is malformed")
    node: bytes = _leaf(proof.bit, proof.category, proof.salt)
    for height, sibling in enumerate(proof.path):
        node = keccak(sibling + node if proof.bit >> height & 1 else node + sibling)
    if node != root:
        raise IntegrityError(f"category bit {proof.bit} does not mean what the proof says", block=root.hex())


def _leaf(bit: int, number: int, salt: bytes) -> Digest:
    return leaf(bit.to_bytes(32, "big") + number.to_bytes(32, "big") + salt)


def _is_opening(bit: int, number: int, salt: bytes) -> bool:
    return 0 <= bit < CATEGORY_BITS and 0 <= number < CATEGORY_BITS and len(salt) == 32

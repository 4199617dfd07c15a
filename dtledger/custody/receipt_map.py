"""The map of a receipt log: of each twin, how many receipts the log has and the hash of the last of them.

A custodian anchors the map's Merkle root with the log's length and last hash. With the proof of one leaf a patient
knows that the list they were given has all receipts of their twin as of the anchor, and learns nothing of other twins
but the number of the next one. Leaves stand in the order of the twins' numbers, each names the twin that follows it
and the first stands for none (twin 0), so that a leaf on either side shows that a twin has no receipts at all.

>>> from dtledger.encoding import sha256
>>> entries = [(7, 0, sha256(b"a")), (9, 0, sha256(b"b")), (7, 1, sha256(b"c"))]
>>> made = ReceiptMap.of(entries)
>>> made.proof(7).verify(made.root, made.count, made.last, 7) == (2, sha256(b"c"))
True
>>> made.proof(8).verify(made.root, made.count, made.last, 8) == (0, NOTHING_BEFORE)
True

Warning: a proof binds a custodian to one account of each twin. It cannot show that the account tells of every request:
that takes an honest custodian, or the receipt that a reader was given.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from .. import encoding
from ..crypto import merkle
from ..errors import IntegrityError
from ..types import Digest
from .cells import cells_of, readable, require_kinds
from .receipts import NOTHING_BEFORE

NO_TWIN = 0
"""The number that no twin has: of the first leaf, and what the last leaf names as following."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One twin's place in the map."""

    twin: int
    following: int
    count: int
    last: Digest

    @property
    def hash(self) -> Digest:
        return merkle.leaf(encoding.encode([self.twin, self.following, self.count, self.last]))

    def covers(self, twin: int) -> bool:
        """Whether it tells of the twin: as its own, or as one that lies between it and the next."""
        return self.twin <= twin and (twin < self.following or self.following == NO_TWIN)


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """What a custodian's anchored map says of one twin. `count` and `last` are the whole log's."""

    count: int
    last: Digest
    leaf: Leaf
    siblings: tuple[Digest, ...]

    def verify(self, root: Digest, count: int, last: Digest, twin: int) -> tuple[int, Digest]:
        """How many receipts the twin has in the map of that anchor, and the hash of the last of them.

        Raises:
            IntegrityError: it is not of that anchor, or not of that twin.
        """
        if (self.count, self.last) != (count, last) or not self.leaf.covers(twin):
            raise IntegrityError("a proof of receipts is of another log or another twin")
        merkle.verify(root, self.leaf.hash, self.siblings)
        return (self.leaf.count, self.leaf.last) if self.leaf.twin == twin else (0, NOTHING_BEFORE)

    def encode(self) -> bytes:
        leaf = [self.leaf.twin, self.leaf.following, self.leaf.count, self.leaf.last]
        return encoding.encode([self.count, self.last, leaf, list(self.siblings)])

    @classmethod
    def decode(cls, data: bytes) -> ReceiptProof:
        """The proof that `encode` wrote.

        Raises:
            IntegrityError: it is not one.
        """
        with readable("a proof of receipts"):
            count, last, leaf, siblings = cells_of(data, int, bytes, list, list)
            require_kinds(leaf, (int, int, int, bytes))
            require_kinds(siblings, (bytes,) * len(siblings))
            twin, following, of_twin, last_of_twin = leaf
            if min(count, twin, following, of_twin) < 0:
                raise ValueError("a number below nothing")
            rows = tuple(Digest(each) for each in siblings)
            return cls(count, Digest(last), Leaf(twin, following, of_twin, Digest(last_of_twin)), rows)


class ReceiptMap:
    """The map of a log as of some length of it: n twins cost n hashes when it is made, and a proof none."""

    def __init__(self, heads: dict[int, tuple[int, Digest]], count: int, last: Digest) -> None:
        self.count = count
        self.last = last
        self._twins = [NO_TWIN, *sorted(heads)]
        following = [*self._twins[1:], NO_TWIN]
        told = {NO_TWIN: (0, NOTHING_BEFORE)} | heads
        self._leaves = [Leaf(twin, after, *told[twin]) for twin, after in zip(self._twins, following, strict=True)]
        self._tree = merkle.MerkleTree([leaf.hash for leaf in self._leaves])

    @classmethod
    def of(cls, entries: Iterable[tuple[int, int, Digest]]) -> ReceiptMap:
        """The map of a log's receipts in their order: (twin, number in the twin's list, hash)."""
        heads: dict[int, tuple[int, Digest]] = {}
        count, last = 0, NOTHING_BEFORE
        for twin, twin_number, last in entries:
            heads[twin] = twin_number + 1, last
            count += 1
        return cls(heads, count, last)

    @property
    def root(self) -> Digest:
        return self._tree.root

    def proof(self, twin: int) -> ReceiptProof:
        """What the map says of a twin, whether it has receipts or not."""
        place = bisect_right(self._twins, twin) - 1
        return ReceiptProof(self.count, self.last, self._leaves[place], self._tree.proof(place))

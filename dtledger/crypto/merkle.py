"""Merkle trees whose proofs OpenZeppelin's `MerkleProof` verifies: an inner node is the Keccak-256 of its two children,
the lesser first.

Shape and proofs are those of the `@openzeppelin/merkle-tree` package with the leaves in the order given. A leaf is the
double hash of its data (`leaf`), so that no 64 bytes of data pass for an inner node.

Warning: a proof shows that a leaf is in the tree, not where. What needs a place has it inside the leaf's data.

>>> tree = MerkleTree([leaf(bytes([i])) for i in range(5)])
>>> verify(tree.root, leaf(b"\\x03"), tree.proof(3))
>>> verify(tree.root, leaf(b"\\x09"), tree.proof(3))
Traceback (most recent call last):
    ...
dtledger.errors.IntegrityError: a leaf is not in the Merkle tree of that root
"""

from __future__ import annotations

from collections.abc import Sequence

from ..encoding import keccak
from ..errors import IntegrityError
from ..types import Digest

__all__ = ["MerkleTree", "leaf", "root", "root_of", "verify"]


def leaf(data: bytes) -> Digest:
    """The leaf of some data: keccak256(keccak256(data))."""
    return keccak(keccak(data))


class MerkleTree:
    """The tree over 32-byte leaves; n leaves cost n - 1 hashes, and a proof none."""

    __slots__ = ("_nodes",)

    def __init__(self, leaves: Sequence[bytes]) -> None:
        if not leaves or any(len(each) != 32 for each in leaves):
            raise ValueError("a Merkle tree has at least one leaf, each of 32 bytes")
        nodes: list[bytes] = [b""] * (len(leaves) - 1) + list(reversed(leaves))
        for i in range(len(leaves) - 2, -1, -1):
            nodes[i] = _pair(nodes[2 * i + 1], nodes[2 * i + 2])
        self._nodes = nodes

    def __len__(self) -> int:
        return (len(self._nodes) + 1) // 2

    @property
    def root(self) -> Digest:
        return Digest(self._nodes[0])

    def proof(self, index: int) -> tuple[Digest, ...]:
        """The siblings from leaf `index` up to the root. Raises IndexError: there is no such leaf."""
        if not 0 <= index < len(self):
            raise IndexError(f"a tree of {len(self)} leaves has no leaf {index}")
        place, siblings = len(self._nodes) - 1 - index, []
        while place:
            siblings.append(Digest(self._nodes[place + 1 if place % 2 else place - 1]))
            place = (place - 1) // 2
        return tuple(siblings)


def root(leaves: Sequence[bytes]) -> Digest:
    """The root over these leaves, in this order."""
    return MerkleTree(leaves).root


def root_of(leaf: bytes, proof: Sequence[bytes]) -> Digest:
    """The root that a proof leads to from a leaf (OpenZeppelin's `processProof`)."""
    node = leaf
    for sibling in proof:
        node = _pair(node, sibling)
    return Digest(node)


def verify(root: bytes, leaf: bytes, proof: Sequence[bytes]) -> None:
    """Pass if `leaf` is in the tree of `root`.

    Raises:
        IntegrityError: the proof does not lead to the root.
    """
    if any(len(each) != 32 for each in (leaf, *proof)) or root_of(leaf, proof) != root:
        raise IntegrityError("a leaf is not in the Merkle tree of that root", block=root.hex())


def _pair(one: bytes, other: bytes) -> Digest:
    return keccak(one + other if one < other else other + one)

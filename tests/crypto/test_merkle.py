"""Roots and proofs are those of OpenZeppelin, and a proof shows nothing that is not in the tree."""

from __future__ import annotations

import pytest

from dtledger.crypto.merkle import MerkleTree, leaf, root, root_of, verify
from dtledger.errors import IntegrityError
from tests.crypto import naive

LEAVES = [leaf(bytes([number])) for number in range(40)]


def test_the_root_is_that_of_the_example_of_openzeppelin() -> None:
    # The README of @openzeppelin/merkle-tree: two (address, uint256), its leaves sorted.
    rows = [(b"\x11" * 20, 5 * 10**18), (b"\x22" * 20, 25 * 10**17)]
    leaves = sorted(leaf(account.rjust(32, b"\0") + amount.to_bytes(32, "big")) for account, amount in rows)
    assert root(leaves).hex() == "d4dee0beab2d53f2cc83e567171bd2820e49898130a22622b10ead383e90bd77"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 40])
def test_every_leaf_of_every_shape_has_a_proof(count: int) -> None:
    tree = MerkleTree(LEAVES[:count])
    assert len(tree) == count
    assert tree.root == root(LEAVES[:count]) == naive.merkle_root(list(LEAVES[:count]))
    for number in range(count):
        proof = tree.proof(number)
        assert naive.process_proof(LEAVES[number], list(proof)) == root_of(LEAVES[number], proof) == tree.root
        assert len(proof) <= (count - 1).bit_length()
        verify(tree.root, LEAVES[number], proof)


def test_a_leaf_that_is_not_in_the_tree_is_refused() -> None:
    tree = MerkleTree(LEAVES[:8])
    proof = tree.proof(3)
    faults = [
        (tree.root, LEAVES[9], proof),
        (tree.root, LEAVES[2], proof),
        (root(LEAVES[:7]), LEAVES[3], proof),
        (tree.root, LEAVES[3], proof[:-1]),
        (tree.root, LEAVES[3], (*proof, proof[0])),
        (tree.root, LEAVES[3], (proof[1], proof[0], proof[2])),
        (tree.root, LEAVES[3], ()),
        (tree.root, LEAVES[3], (proof[0] + b"\0", *proof[1:])),
        (tree.root, LEAVES[3] + proof[0], proof[1:]),
    ]
    for wrong_root, wrong_leaf, wrong_proof in faults:
        with pytest.raises(IntegrityError):
            verify(wrong_root, wrong_leaf, wrong_proof)
    verify(tree.root, LEAVES[3], proof)


def test_an_inner_node_does_not_pass_for_the_data_of_a_leaf() -> None:
    tree = MerkleTree(LEAVES[:4])
    children = b"".join(sorted(LEAVES[:2]))
    with pytest.raises(IntegrityError):
        verify(tree.root, leaf(children), tree.proof(0)[1:])
    # With leaves hashed once the same data would pass: that is why `leaf` hashes twice.
    verify(tree.root, naive.keccak256(children), tree.proof(0)[1:])


def test_bytes_of_another_length_do_not_pass_for_a_leaf() -> None:
    tree = MerkleTree(LEAVES[:2])
    both = b"".join(sorted(LEAVES[:2]))
    for forged, sibling in ((b"", both), (both[:1], both[1:])):
        with pytest.raises(IntegrityError):
            verify(tree.root, forged, [sibling])
    assert root_of(b"", [both]) == tree.root  # what the check of lengths is for
    verify(tree.root, both[:32], [both[32:]])


def test_a_tree_has_leaves_of_32_bytes() -> None:
    for wrong in ([], [b"short"], [*LEAVES[:2], bytes(33)]):
        with pytest.raises(ValueError, match="32 bytes"):
            MerkleTree(wrong)
    assert root(LEAVES[:1]) == LEAVES[0]


def test_there_is_no_proof_beyond_the_leaves() -> None:
    tree = MerkleTree(LEAVES[:3])
    for beyond in (-1, 3):
        with pytest.raises(IndexError):
            tree.proof(beyond)
    assert tree.proof(2)

"""The fixed vectors, which the naive implementation made, are what the library makes."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from dtledger.crypto import content, keytree, shamir
from dtledger.crypto.padding import padme
from dtledger.types import Period
from tests import vectors
from tests.crypto.vectors import some_bytes

TREE = vectors.load("keytree.json")
SHAMIR = vectors.load("shamir.json")
CONTENT = vectors.load("content.json")


@pytest.mark.parametrize("row", TREE["roots"])
def test_the_root_of_a_category_and_generation_is_fixed(row: dict[str, Any]) -> None:
    root = keytree.root(bytes.fromhex(TREE["secret"]), row["generation"], row["category"])
    assert root.key.hex() == row["key"]


@pytest.mark.parametrize("row", TREE["leaves"])
def test_the_leaf_of_a_minute_is_fixed(row: dict[str, Any]) -> None:
    root = keytree.root(bytes.fromhex(TREE["secret"]), 0, 0)
    assert keytree.leaf([root], row["minute"]).hex() == row["key"]


@pytest.mark.parametrize("row", TREE["covers"])
def test_the_cover_of_a_window_is_fixed(row: dict[str, Any]) -> None:
    root = keytree.root(bytes.fromhex(TREE["secret"]), 0, 0)
    nodes = keytree.cover(root, Period(row["from"], row["until"]))
    assert [[node.depth, node.index, node.key.hex()] for node in nodes] == row["nodes"]


@pytest.mark.parametrize("row", SHAMIR["splits"])
def test_the_shares_of_a_polynomial_are_fixed(row: dict[str, Any]) -> None:
    secret = bytes.fromhex(row["secret"])
    shares = shamir._shares(secret, [bytes.fromhex(each) for each in row["coefficients"]], row["n"])
    assert {str(share.number): share.value.hex() for share in shares} == row["shares"]
    assert shamir.combine({share.number: share.value for share in shares[-row["t"] :]}) == secret


def test_padme_sizes_are_fixed() -> None:
    assert [[length, padme(length)] for length, _ in CONTENT["padme"]] == CONTENT["padme"]


def fixed_key() -> content.ContentKey:
    names = ("leafFrom", "leafUntil", "custodySecret", "context")
    leaf_from, leaf_until, custody_secret, context = (bytes.fromhex(CONTENT[name]) for name in names)
    return content.derive_key(leaf_from, leaf_until, custody_secret, context)


def test_the_content_key_and_its_commitment_are_fixed() -> None:
    assert (fixed_key().key.hex(), fixed_key().commitment.hex()) == (CONTENT["key"], CONTENT["commitment"])


@pytest.mark.parametrize("row", CONTENT["contents"], ids=lambda row: str(row["length"]))
def test_the_chunks_of_a_content_are_fixed_and_open(row: dict[str, Any]) -> None:
    key, context = fixed_key(), bytes.fromhex(CONTENT["context"])
    plaintext = some_bytes("plaintext", row["length"])
    chunks = content.encrypt(key, plaintext, context)
    made = [{"length": len(chunk), "sha256": hashlib.sha256(chunk).hexdigest()} for chunk in chunks]
    assert made == row["chunks"]
    assert content.decrypt(key, chunks, context) == plaintext

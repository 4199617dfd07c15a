"""The fixed vectors of `dtledger.crypto`, made by the naive implementation."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.crypto import naive

LAST = 2**30 - 1


def some_bytes(word: str, length: int = 32) -> bytes:
    """Bytes that look random, are always the same, and that anyone can make again: SHAKE-256 of a word."""
    return hashlib.shake_256(word.encode()).digest(length)


def keytree() -> dict[str, Any]:
    secret = some_bytes("twin secret")
    root = naive.tree_root(secret, 0, 0)
    windows = [(0, LAST), (1, LAST - 1), (0, 0), (LAST, LAST), (10, 12), (29_000_000, 29_000_000 + 24 * 60 - 1)]
    return {
        "secret": secret.hex(),
        "roots": [
            {"generation": generation, "category": category, "key": naive.tree_root(secret, generation, category).hex()}
            for generation, category in [(0, 0), (0, 31), (1, 0), (2**32 - 1, 7)]
        ],
        "leaves": [
            {"minute": minute, "key": naive.tree_node(root, 30, minute).hex()}
            for minute in (0, 1, 29_000_000, 2**29, LAST)
        ],
        "covers": [
            {
                "from": first,
                "until": last,
                "nodes": [
                    [depth, index, naive.tree_node(root, depth, index).hex()]
                    for depth, index in naive.tree_cover(first, last)
                ],
            }
            for first, last in windows
        ],
    }


def shamir() -> dict[str, Any]:
    splits = []
    for t, n, length in [(1, 1, 32), (1, 3, 1), (2, 3, 32), (3, 5, 32), (5, 5, 4), (2, 255, 2), (4, 7, 100)]:
        secret = some_bytes(f"secret {t} {n}", length)
        coefficients = [some_bytes(f"coefficient {k} {t} {n}", length) for k in range(1, t)]
        shares = naive.shamir_split(secret, coefficients, n)
        splits.append(
            {
                "t": t,
                "n": n,
                "secret": secret.hex(),
                "coefficients": [coefficient.hex() for coefficient in coefficients],
                "shares": {str(number): share.hex() for number, share in shares.items()},
            }
        )
    return {"splits": splits}


def content() -> dict[str, Any]:
    context = b"twin 7, snapshot 1"
    leaf_from, leaf_until, custody_secret = (some_bytes(word) for word in ("leaf from", "leaf until", "custody secret"))
    key, commitment = naive.content_key(leaf_from, leaf_until, custody_secret, context)
    contents = []
    for length in (0, 1, 56, 1000, 2**20 - 24, 2**20 - 16, 2**20, 3 * 2**20 + 1):
        chunks = naive.content_encrypt(key, some_bytes("plaintext", length), context)
        contents.append(
            {
                "length": length,
                "chunks": [{"length": len(chunk), "sha256": hashlib.sha256(chunk).hexdigest()} for chunk in chunks],
            }
        )
    sizes = [2, 8, 9, 10, 63, 64, 65, 1000, 65_537, 1_000_000, 2**20 + 8, 2**30 + 1]
    return {
        "padme": [[length, naive.padme(length)] for length in sizes],
        "leafFrom": leaf_from.hex(),
        "leafUntil": leaf_until.hex(),
        "custodySecret": custody_secret.hex(),
        "context": context.hex(),
        "key": key.hex(),
        "commitment": commitment.hex(),
        "plaintext": "the first bytes of SHAKE-256 of the word «plaintext»",
        "contents": contents,
    }


FILES = {"keytree.json": keytree, "shamir.json": shamir, "content.json": content}

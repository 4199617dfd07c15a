"""Names that only insiders can make: the label of a stream, and the key that links a twin to its model rounds.

A stream (one writer's sequence of one category) is anchored under HMAC-SHA256(tag key of the category, writer).
Outsiders see which snapshots share a stream, and nothing of the category. Tag keys are random, drawn once for a twin
for every category there may ever be, and survive a new generation of the twin secret.

Warning: for the same reason a former grantee can still tell its own categories' streams apart.

>>> keys = draw_tag_keys()
>>> label = stream_label(keys[0], Address("0x" + "11" * 20))
>>> len(label), label == stream_label(keys[1], Address("0x" + "11" * 20))
(32, False)
"""

from __future__ import annotations

import hmac
import secrets

from ..types import Address, Digest
from ..vocabulary.categories import CATEGORY_BITS
from .kdf import Label, derive

__all__ = ["draw_tag_keys", "link_key", "stream_label"]


def draw_tag_keys() -> tuple[bytes, ...]:
    """Thirty-two random tag keys of 32 bytes; a key's place is its category's number."""
    return tuple(secrets.token_bytes(32) for _ in range(CATEGORY_BITS))


def stream_label(tag_key: bytes, writer: Address) -> Digest:
    """What a writer's stream of one category is called on the ledger: HMAC-SHA256(tag key, the writer's 20 bytes).

    Raises:
        ValueError: the tag key is not 32 bytes, or the writer no address.
    """
    if len(tag_key) != 32:
        raise ValueError(f"a tag key is 32 bytes, not {len(tag_key)}")
    return Digest(hmac.digest(tag_key, _raw(writer), "sha256"))


def link_key(secret: bytes, generation: int, twin: int, grantee: Address) -> bytes:
    """The key by which patient and grantee, and nobody else, find a twin in a model round's consent root.

    HKDF-SHA256(twin secret of that generation; generation u32 ‖ twin u256 ‖ grantee's 20 bytes). The patient derives
    it; the grantee has it in its package.

    Raises:
        ValueError: the secret is not 32 bytes, or the grantee no address.
    """
    if len(secret) != 32:
        raise ValueError(f"a twin secret is 32 bytes, not {len(secret)}")
    return derive(secret, Label.LINK, generation.to_bytes(4, "big"), twin.to_bytes(32, "big"), _raw(grantee))


def _raw(address: Address) -> bytes:
    raw = bytes.fromhex(address.removeprefix("0x"))
    if len(raw) != 20:
        raise ValueError(f"not an address: {address!r}")
    return raw

"""Encrypting a snapshot: a key that needs both locks, a commitment to that key, and chunks that cannot be re-cut.

Content key ‖ key commitment = HKDF-SHA256(leaf(from) ‖ leaf(until) ‖ custody secret; context), 32 bytes each. The
commitment binds the inputs: whoever opens a manifest's content has the same key, hence the same bytes.

The plaintext is padded (`dtledger.crypto.padding`, Padmé) and cut into chunks whose ciphertexts fill blocks of
1 MiB. Chunk i is AES-256-GCM under the nonce i (11 bytes, big-endian) ‖ last (1 byte, 1 for the last chunk, else 0)
with the context as associated data: the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár (CRYPTO 2015).
Removed, added, exchanged or changed chunks are refused.

Warning: a key encrypts one byte string once. Nonces are counted from zero: two plaintexts under one key would be
readable. A fresh custody secret for each snapshot is what keeps this true.

>>> key = derive_key(bytes(32), bytes(32), bytes(32), context=b"snapshot 1")
>>> chunks = encrypt(key, b"5.4 mmol/L", b"snapshot 1")
>>> decrypt(key, chunks, b"snapshot 1")
b'5.4 mmol/L'
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..errors import IntegrityError
from .kdf import Label, derive
from .padding import LENGTH_BYTES, padding, padme, unpad

__all__ = ["MAX_BLOCK", "MAX_INLINE", "TAG_BYTES", "ContentKey", "decrypt", "derive_key", "encrypt"]

MAX_BLOCK = 1 << 20
"""The greatest block of ciphertext, tag included: 1 MiB."""

MAX_INLINE = 64 * 1024
"""Content whose only chunk is at most this long lies inside its manifest: 64 KiB."""

TAG_BYTES = 16
_CHUNK = MAX_BLOCK - TAG_BYTES


@dataclass(frozen=True, slots=True)
class ContentKey:
    """The 32-byte key of one snapshot's content, and the 32-byte commitment to it that the manifest carries."""

    key: bytes = field(repr=False)
    commitment: bytes

    def check(self, commitment: bytes) -> None:
        """Pass if this is the key that a manifest commits to.

        Raises:
            IntegrityError: it is not: a leaf, a share of the custody secret, or the manifest is wrong.
        """
        if not hmac.compare_digest(self.commitment, commitment):
            raise IntegrityError(
                "the content key is not the one that the manifest commits to.",
                hint="A share is wrong: compare each with its hash in the custody block.",
            )


def derive_key(leaf_from: bytes, leaf_until: bytes, custody_secret: bytes, context: bytes) -> ContentKey:
    """The content key of a snapshot, from the leaves of its first and last minute and its custody secret.

    All three are 32 bytes, else ValueError. `context` is what the snapshot is, in bytes that no other snapshot has.
    """
    if not len(leaf_from) == len(leaf_until) == len(custody_secret) == 32:
        raise ValueError("both leaves and the custody secret are 32 bytes")
    both = derive(leaf_from + leaf_until + custody_secret, Label.CONTENT, context, length=64)
    return ContentKey(both[:32], both[32:])


def encrypt(key: ContentKey, plaintext: bytes, context: bytes) -> list[bytes]:
    """`plaintext` as one or more chunks of ciphertext, each but the last of exactly 1 MiB.

    Warning: never call it twice with one key.
    """
    seal = AESGCM(key.key).encrypt
    pieces = list(_cut(plaintext))
    return [seal(_nonce(i, i == len(pieces) - 1), piece, context) for i, piece in enumerate(pieces)]


def decrypt(key: ContentKey, chunks: Sequence[bytes], context: bytes) -> bytes:
    """The plaintext of all chunks of one content, in order.

    Raises:
        IntegrityError: a chunk is changed, missing, added or out of place; `.evidence["index"]` counts from zero.
    """
    if not chunks:
        raise IntegrityError("content has at least one chunk, and here is none")
    padded = bytearray(sum(max(len(chunk) - TAG_BYTES, 0) for chunk in chunks))
    rest, open_into = memoryview(padded), AESGCM(key.key).decrypt_into
    for i, chunk in enumerate(chunks):
        room = max(len(chunk) - TAG_BYTES, 0)
        try:
            open_into(_nonce(i, i == len(chunks) - 1), chunk, context, rest[:room])
        except InvalidTag:
            raise IntegrityError(
                f"chunk {i + 1} of {len(chunks)} does not open: it is changed or out of place, or chunks are missing "
                "or added.",
                hint="Fetch the blocks again, from another node.",
                index=i,
            ) from None
        rest = rest[room:]
    return unpad(padded)


def _cut(plaintext: bytes) -> Iterator[memoryview]:
    """The padded plaintext in pieces of `_CHUNK` bytes; whole pieces of plaintext are views, not copies."""
    length = len(plaintext)
    whole = length - length % _CHUNK
    tail = plaintext[whole:] + padding(length, padme(length + LENGTH_BYTES))
    for part, size in ((memoryview(plaintext), whole), (memoryview(tail), len(tail))):
        for start in range(0, size, _CHUNK):
            yield part[start : min(start + _CHUNK, size)]


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")

"""Signatures of digests on secp256k1, as Ethereum has them.

By libsecp256k1 itself: a writer signs twice a snapshot, and eth-account's way round it takes fifteen times as long.
"""

from __future__ import annotations

from coincurve import PrivateKey

__all__ = ["PrivateKey", "sign"]


def sign(key: PrivateKey, digest: bytes) -> bytes:
    """The signature of a 32-byte digest: r ‖ s ‖ v, 65 bytes, v 27 or 28, s in the lower half (RFC 6979 nonces).

    Raises:
        ValueError: the digest is of another length.
    """
    if len(digest) != 32:
        raise ValueError(f"a digest is 32 bytes, not {len(digest)}")
    signature = key.sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([27 + signature[64]])

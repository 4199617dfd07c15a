"""Sealing to a public key: HPKE (RFC 9180), base mode, with the hybrid KEM of ML-KEM-768 and X25519.

A seal opens if and only if the key and the *context* are the same; both KEMs must be broken to open it without the
key (health records outlive today's curves). Whoever knows a public key can seal to it: a seal says nothing about
its sender. HKDF-SHA256, AES-256-GCM; one seal is `OVERHEAD` bytes longer than its plaintext.

The context is bytes that both sides know; it begins with a word for what is sealed, so that no seal of one kind
passes for another.

>>> key = SealKey.generate()
>>> open_(key, seal(key.public, b"a share", b"share"), b"share")
b'a share'
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from ..errors import IntegrityError, KeyFileError

__all__ = ["OVERHEAD", "PUBLIC_BYTES", "SEED_BYTES", "SealKey", "check_public", "open_", "seal", "seal_once"]

SEED_BYTES = 96
"""A private key: the ML-KEM-768 seed (64) ‖ the X25519 private key (32)."""

PUBLIC_BYTES = 1216
"""A public key: ML-KEM-768 (1,184) ‖ X25519 (32), in X-Wing's order."""

OVERHEAD = 1136
"""What a seal adds: ML-KEM ciphertext (1,088), X25519 share (32), tag (16)."""

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass(frozen=True, slots=True)
class SealKey:
    """A private key, as the 96-byte seed that it is stored by; `public` are the bytes to seal to."""

    seed: bytes
    public: bytes = field(init=False)
    _private: MLKEM768X25519PrivateKey = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise KeyFileError(
                f"an encryption key's seed is {SEED_BYTES} bytes, not {len(self.seed)}.",
                hint="The key file is damaged: restore it from a backup.",
            )
        mlkem = MLKEM768PrivateKey.from_seed_bytes(self.seed[:64])
        x25519 = X25519PrivateKey.from_private_bytes(self.seed[64:])
        public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        object.__setattr__(self, "public", public)
        object.__setattr__(self, "_private", MLKEM768X25519PrivateKey(mlkem, x25519))

    @classmethod
    def generate(cls) -> SealKey:
        """A new random key."""
        return cls(secrets.token_bytes(SEED_BYTES))

    def __repr__(self) -> str:
        return f"SealKey(public={hashlib.sha256(self.public).hexdigest()[:8]})"


def seal(public: bytes, plaintext: bytes, context: bytes) -> bytes:
    """`plaintext`, sealed to the holder of `public` for `context`.

    Raises:
        IntegrityError: `public` is not a public key.
    """
    return _encrypt(_parsed(public), plaintext, context)


def seal_once(public: bytes, plaintext: bytes, context: bytes) -> bytes:
    """As `seal`, to a key that is used this once: nothing of it is remembered."""
    return _encrypt(_parse(public), plaintext, context)


def open_(key: SealKey, sealed: bytes, context: bytes) -> bytes:
    """What was sealed to `key` for `context`.

    Raises:
        IntegrityError: it was sealed to another key, for another context, or was changed since; which, nobody can say.
    """
    try:
        return _SUITE.decrypt(sealed, key._private, context)
    except (InvalidTag, ValueError):
        raise IntegrityError("a seal does not open: another key, another context, or changed bytes") from None


def check_public(public: bytes) -> None:
    """Pass if `public` is a public key that one can seal to.

    Raises:
        IntegrityError: it is not.
    """
    seal_once(public, b"", b"check")


def _encrypt(public: MLKEM768X25519PublicKey, plaintext: bytes, context: bytes) -> bytes:
    try:
        return _SUITE.encrypt(plaintext, public, context)
    except ValueError:  # an X25519 point of low order
        raise IntegrityError("an encryption public key is malformed: no secret can be shared with it") from None


def _parse(public: bytes) -> MLKEM768X25519PublicKey:
    if len(public) != PUBLIC_BYTES:
        raise IntegrityError(f"an encryption public key is {PUBLIC_BYTES} bytes, not {len(public)}")
    try:
        mlkem = MLKEM768PublicKey.from_public_bytes(public[:-32])
    except ValueError:
        raise IntegrityError("an encryption public key is malformed: its ML-KEM-768 part is not canonical") from None
    return MLKEM768X25519PublicKey(mlkem, X25519PublicKey.from_public_bytes(public[-32:]))


_parsed = lru_cache(maxsize=2**13)(_parse)
"""A writer seals to the same custodians with each snapshot. A parsed key has 8 KB: all of them 70 MB."""

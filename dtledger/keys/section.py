"""The section `dtledger` of a key file: AES-256-GCM under scrypt of the password, with a salt of its own.

    {"version": 1, "cipher": "aes-256-gcm", "kdf": "scrypt",
     "kdfparams": {"n", "r", "p", "salt"}, "nonce", "ciphertext"}        bytes in hex

The associated data names the key's address, so that a section moved to another key's file does not open there. A
write draws a new nonce; the derived key stays while the password does, so a write costs no second scrypt.
"""

from __future__ import annotations

import secrets as random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..errors import IntegrityError, KeyFileError
from ..types import Address
from .kdf import Scrypt
from .secrets import Secrets

__all__ = ["SectionKey"]


@dataclass(frozen=True, slots=True)
class SectionKey:
    """What opens the section of one address, and how it was derived from the password."""

    address: Address
    kdf: Scrypt
    salt: bytes
    _key: bytes = field(repr=False)

    @classmethod
    def new(cls, address: Address, password: str, kdf: Scrypt) -> SectionKey:
        """A key for a new section, or for the section under a new password."""
        salt = random.token_bytes(32)
        return cls(address, kdf, salt, kdf.derive(password, salt))

    @classmethod
    def derive(cls, section: Any, address: Address, password: str, path: Path) -> SectionKey:
        """The key of a section that is there. Raises KeyFileError if it is not one."""
        kdf, salt, _, _ = _parse(section, path)
        return cls(address, kdf, salt, kdf.derive(password, salt))

    def seal(self, secrets: Secrets) -> dict[str, Any]:
        """A section that holds `secrets`."""
        nonce = random.token_bytes(12)
        ciphertext = AESGCM(self._key).encrypt(nonce, secrets.to_bytes(), self._associated())
        return {
            "version": 1,
            "cipher": "aes-256-gcm",
            "kdf": "scrypt",
            "kdfparams": {"n": self.kdf.n, "r": self.kdf.r, "p": self.kdf.p, "salt": self.salt.hex()},
            "nonce": nonce.hex(),
            "ciphertext": ciphertext.hex(),
        }

    def open(self, section: Any, path: Path) -> Secrets:
        """What the section holds; `path` is for the message.

        Raises:
            KeyFileError: it is damaged, another key's, under another password, or a newer dtledger's.
        """
        kdf, salt, nonce, ciphertext = _parse(section, path)
        if (kdf, salt) != (self.kdf, self.salt):
            raise KeyFileError(
                f"{path} was given another password meanwhile.", hint="Unlock it again with the new one."
            )
        try:
            return Secrets.from_bytes(AESGCM(self._key).decrypt(nonce, ciphertext, self._associated()))
        except (InvalidTag, IntegrityError):
            raise _damaged(path) from None

    def _associated(self) -> bytes:
        return b"dtledger/key-file-section/1" + bytes.fromhex(self.address[2:])


def _parse(section: Any, path: Path) -> tuple[Scrypt, bytes, bytes, bytes]:
    try:
        if section["version"] > 1:
            raise KeyFileError(f"A newer dtledger wrote {path}.", hint="Update dtledger.")
        if (section["version"], section["cipher"], section["kdf"]) != (1, "aes-256-gcm", "scrypt"):
            raise ValueError("another form")
        parameters = section["kdfparams"]
        salt, nonce = bytes.fromhex(parameters["salt"]), bytes.fromhex(section["nonce"])
        if len(salt) != 32 or len(nonce) != 12:
            raise ValueError("a field of another length")
        return (
            Scrypt(parameters["n"], parameters["r"], parameters["p"]),
            salt,
            nonce,
            bytes.fromhex(section["ciphertext"]),
        )
    except (ValueError, KeyError, TypeError):
        raise _damaged(path) from None


def _damaged(path: Path) -> KeyFileError:
    return KeyFileError(
        f"The section `dtledger` of {path} is damaged, or another password than the keystore's locks it.",
        hint="Restore the file from a backup: dtledger key restore",
    )

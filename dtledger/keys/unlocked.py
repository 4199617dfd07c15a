"""A key while it is open: it signs, opens seals, and changes what its file holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from .._backend.files import locked
from ..crypto import ecdsa
from ..crypto.seal import SealKey
from ..encoding import address
from ..errors import KeyFileError
from ..types import Address
from . import keystore
from .secrets import Secrets
from .section import SectionKey
from .writing import write_key_file

__all__ = ["UnlockedKey"]


class UnlockedKey:
    """One key, unlocked. Made by `KeyFile.unlock`; its repr shows name and address alone, and it does not pickle.

    `secrets` is what the file held when it was last read or written through this object.
    """

    __slots__ = ("_account", "_path", "_secrets", "_section_key", "_signer", "address", "name")

    def __init__(
        self, name: str, path: Path, account: LocalAccount, section_key: SectionKey | None, secrets: Secrets | None
    ) -> None:
        self.name = name
        self.address: Address = address(account.address)
        self._path = path
        self._account = account
        self._signer = ecdsa.PrivateKey(bytes(account.key))
        self._section_key = section_key
        self._secrets = secrets

    def __repr__(self) -> str:
        return f"UnlockedKey({self.name}, {self.address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an unlocked key is not written down")

    @property
    def account(self) -> LocalAccount:
        """The account as eth-account has it, for web3."""
        return self._account

    @property
    def secrets(self) -> Secrets:
        """What the section holds. Raises KeyFileError if the key was unlocked for signing only."""
        return self._opened()[1]

    @property
    def seal_key(self) -> SealKey:
        """The key that others seal to. Raises KeyFileError if the key was unlocked for signing only."""
        return self.secrets.seal_key

    def reload(self) -> Secrets:
        """Read the file again: another process may have added to it. Raises KeyFileError as `update`."""
        section_key, _ = self._opened()
        self._secrets = section_key.open(keystore.read(self._path).get("dtledger"), self._path)
        return self._secrets

    def update(self, change: Callable[[Secrets], Secrets]) -> Secrets:
        """Write what `change` makes of the secrets that the file holds now; return it. No scrypt: some milliseconds.

        The file is locked from the reading to the writing, so no other process's change is lost. If `change` raises,
        nothing is written.

        Raises:
            KeyFileError: the password was changed meanwhile, the file is damaged, or the key is for signing only.
            DtledgerError: the file could not be written; it is as it was.
        """
        section_key, _ = self._opened()
        with locked(self._path):
            document = keystore.read(self._path)
            secrets = change(section_key.open(document.get("dtledger"), self._path))
            document["dtledger"] = section_key.seal(secrets)
            write_key_file(self._path, document)
        self._secrets = secrets
        return secrets

    def sign_digest(self, digest: bytes) -> bytes:
        """The signature of a 32-byte digest: r ‖ s ‖ v, 65 bytes, v 27 or 28, s in the lower half (RFC 6979 nonces).

        Warning: the digest is signed as it is. Give it nothing but an EIP-712 digest that was made here.
        """
        return ecdsa.sign(self._signer, digest)

    def sign_typed(self, full_message: dict[str, Any]) -> bytes:
        """The signature, as `sign_digest`, of an EIP-712 message {types, primaryType, domain, message}."""
        return bytes(self._account.sign_message(encode_typed_data(full_message=full_message)).signature)

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        """The signed transaction as it is sent to a node."""
        return bytes(self._account.sign_transaction(transaction).raw_transaction)

    def _opened(self) -> tuple[SectionKey, Secrets]:
        if self._section_key is None or self._secrets is None:
            raise KeyFileError(
                f"The key {self.name} was unlocked for signing only.", hint="Unlock it without `signing_only`."
            )
        return self._section_key, self._secrets

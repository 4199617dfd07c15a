"""A key that is open and has no file: it ends with its process.

>>> key = MemoryKey("ann", bytes(31) + b"\\1")
>>> key
MemoryKey(ann, 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf)
"""

from __future__ import annotations

import secrets as random
from collections.abc import Callable
from threading import Lock
from typing import Any, NoReturn

from eth_account import Account

from ..crypto import ecdsa
from ..crypto.seal import SealKey
from ..encoding import address
from ..keys import Secrets
from ..types import Address


class MemoryKey:
    """A `dtledger.client.Identity`; also signs receipts and transactions. Without `private_key` it is drawn."""

    __slots__ = ("_account", "_lock", "_secrets", "_signer", "address", "name")

    def __init__(self, name: str, private_key: bytes | None = None) -> None:
        self.name = name
        self._account = Account.from_key(private_key or random.token_bytes(32))
        self._signer = ecdsa.PrivateKey(bytes(self._account.key))
        self.address: Address = address(self._account.address)
        self._secrets = Secrets.draw()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"MemoryKey({self.name}, {self.address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an open key is not written down")

    @property
    def secrets(self) -> Secrets:
        return self._secrets

    @property
    def seal_key(self) -> SealKey:
        return self._secrets.seal_key

    def update(self, change: Callable[[Secrets], Secrets]) -> Secrets:
        """Hold what `change` makes of the secrets; return it."""
        with self._lock:
            self._secrets = change(self._secrets)
            return self._secrets

    def sign_digest(self, digest: bytes) -> bytes:
        """r ‖ s ‖ v of a 32-byte digest, as `dtledger.keys.UnlockedKey.sign_digest`."""
        return ecdsa.sign(self._signer, digest)

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        """The signed transaction as it is sent to a node; a ledger in memory never asks for it."""
        return bytes(self._account.sign_transaction(transaction).raw_transaction)

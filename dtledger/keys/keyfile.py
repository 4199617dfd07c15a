"""A key file and its public part; what opens it, and what changes its password."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._backend.files import locked
from ..errors import KeyFileError
from ..types import Address
from . import keystore
from .kdf import STRONG, Scrypt
from .secrets import Secrets
from .section import SectionKey
from .unlocked import UnlockedKey
from .writing import had_section, write_key_file

__all__ = ["KeyFile"]


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key as it lies in its file. `address` is None where another tool left it out and it was never unlocked here.

    Warning: until it is unlocked, nothing shows that the address is the key's own.
    """

    name: str
    path: Path
    address: Address | None
    kdf: Scrypt = STRONG

    @classmethod
    def read(cls, name: str, path: Path, kdf: Scrypt = STRONG) -> KeyFile:
        """The key file at `path`.

        Raises:
            KeyFileError: it is not there, or is damaged.
        """
        return cls(name, path, keystore.own_address(keystore.read(path)), kdf)

    def unlock(self, password: str, *, signing_only: bool = False) -> UnlockedKey:
        """The key, open. Takes about a second, which is what guessing one password costs too.

        A keystore without the section `dtledger` gets one, and costly key derivation if its own was cheaper; with
        `signing_only` nothing is written and no section is read, in half the time.

        Raises:
            KeyFileError: the password is wrong, the file is damaged, or another tool took its section away.
            DtledgerError: the new section could not be written.
        """
        document = keystore.read(self.path)
        account = keystore.decrypt(document, password, self.path)
        if signing_only:
            return UnlockedKey(self.name, self.path, account, None, None)
        if "dtledger" not in document:
            with locked(self.path):
                document = keystore.read(self.path)  # another process may have made the section meanwhile
                if "dtledger" not in document:
                    self._require_never_opened()
                    document = self._begin(document, password)
        key = SectionKey.derive(document["dtledger"], Address(account.address), password, self.path)
        return UnlockedKey(self.name, self.path, account, key, key.open(document["dtledger"], self.path))

    def change_password(self, old: str, new: str) -> None:
        """Lock the file with another password. Keys that are open elsewhere must be unlocked again before they write.

        Raises:
            KeyFileError: the old one is wrong, or the file is damaged.
        """
        with locked(self.path):
            document = keystore.read(self.path)
            account = keystore.decrypt(document, old, self.path)
            changed = keystore.encrypt(account, new, self.kdf)
            if "dtledger" in document:
                owner = Address(account.address)
                secrets = SectionKey.derive(document["dtledger"], owner, old, self.path).open(
                    document["dtledger"], self.path
                )
                changed["dtledger"] = SectionKey.new(owner, new, self.kdf).seal(secrets)
            write_key_file(self.path, changed)

    def _begin(self, document: dict[str, Any], password: str) -> dict[str, Any]:
        account = keystore.decrypt(document, password, self.path)
        if keystore.is_weaker(document, self.kdf):
            document = keystore.encrypt(account, password, self.kdf)
        document["address"] = account.address[2:].lower()
        document["dtledger"] = SectionKey.new(Address(account.address), password, self.kdf).seal(Secrets.draw())
        write_key_file(self.path, document)
        return document

    def _require_never_opened(self) -> None:
        if had_section(self.path):
            raise KeyFileError(
                f"The section `dtledger` of {self.path} is gone: another tool rewrote the file.",
                hint="Restore it from a backup, or unlock it for signing only.",
            )

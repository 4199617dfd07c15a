"""The keys of one home."""

from __future__ import annotations

import logging
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from eth_account import Account

from .._backend.files import locked, write_atomically
from ..errors import InputError, KeyFileError
from ..home import Home, check_name
from ..types import Address
from . import keystore
from .kdf import STRONG, Scrypt
from .keyfile import KeyFile
from .secrets import Secrets
from .section import SectionKey
from .writing import write_key_file

__all__ = ["KeyStore"]

log = logging.getLogger(__name__)


class KeyStore:
    """`keys/NAME.json`, and which of them is used when none is named.

    The folder is refused when others on the machine can reach into it. `kdf` is what new files cost to guess at.
    """

    def __init__(self, home: Home, kdf: Scrypt = STRONG) -> None:
        self.home = home
        self.kdf = kdf

    def create(self, name: str, password: str, private_key: bytes | None = None) -> KeyFile:
        """A new key file, of a new random key or of `private_key` (see `read_private_key`). The first one is used.

        Raises:
            InputError: the name cannot be one.
            KeyFileError: there is a key of that name; it is never overwritten.
        """
        path = self._new_path(name)
        account = Account.from_key(private_key) if private_key is not None else Account.create()
        owner = Address(account.address)
        document = keystore.encrypt(account, password, self.kdf)
        document["dtledger"] = SectionKey.new(owner, password, self.kdf).seal(Secrets.draw())
        with locked(path):
            self._require_new(path)
            write_key_file(path, document)
        self._use_if_first(name)
        return KeyFile(name, path, owner, self.kdf)

    def adopt(self, name: str, source: Path) -> KeyFile:
        """A copy of the keystore at `source` (another tool's, or a backup) as the key `name`, under its password.

        Raises:
            InputError, KeyFileError: as `create`; or `source` is no keystore.
        """
        path = self._new_path(name)
        document = keystore.read(source)
        with locked(path):
            self._require_new(path)
            write_key_file(path, document)
        self._use_if_first(name)
        return KeyFile.read(name, path, self.kdf)

    def put(self, name: str, document: dict[str, Any]) -> KeyFile:
        """Write a key file that a backup holds, in the place of one that is there: whoever calls has looked at that.

        Raises:
            InputError: the name cannot be one.
            DtledgerError: it could not be written.
        """
        path = self._path(check_name(name, "key"))
        self.home.prepare(self.home.keys)
        with locked(path):
            write_key_file(path, document)
        self._use_if_first(name)
        return KeyFile.read(name, path, self.kdf)

    def list(self) -> tuple[KeyFile, ...]:
        """All keys, by name. Raises KeyFileError if one is damaged."""
        return tuple(KeyFile.read(name, self._path(name), self.kdf) for name in self.names())

    def addresses(self) -> dict[Address, str]:
        """Address → name, of every key whose file names its address and is not damaged: what names are shown by."""
        found = {}
        for name in self.names():
            try:
                owner = self.open(name).address
            except KeyFileError as error:
                log.warning("the key %s is left out: %s", name, error.message)
            else:
                if owner is not None:
                    found[owner] = name
        return found

    def names(self) -> tuple[str, ...]:
        """The names of all keys, sorted."""
        folder = self.home.require_private(self.home.keys)
        if not folder.is_dir():
            return ()
        return tuple(sorted(each.stem for each in folder.glob("*.json") if not each.name.startswith(".")))

    def open(self, name: str) -> KeyFile:
        """The key of that name, or the keystore at that path (with a separator in it, or ending in .json).

        Raises:
            KeyFileError: there is none, or it is damaged, or others could change it.
        """
        if "/" in name or os.sep in name or name.endswith(".json"):
            path = Path(name).expanduser().absolute()
            if path.is_dir():
                raise KeyFileError(f"{path} is a folder.", hint="Name the keystore file in it.")
            return KeyFile.read(path.stem, path, self.kdf)
        known = self.names()
        if name not in known:
            near = get_close_matches(name, known, 1)
            meant = f"Did you mean {near[0]}? " if near else ""
            there = f"There are: {', '.join(known)}." if known else f"Make it: dtledger key new {name}"
            raise KeyFileError(f"There is no key {name!r}.", hint=meant + there)
        return KeyFile.read(name, self._path(name), self.kdf)

    def use(self, name: str) -> KeyFile:
        """Let the key `name` be used when none is named.

        Raises:
            KeyFileError: there is none of that name.
        """
        key = self.open(check_name(name, "key"))
        write_atomically(self.home.default_key_file, f"{name}\n".encode())
        return key

    def default(self) -> str | None:
        """The name of the key that is used when none is named, or None. Raises InputError: it cannot be read."""
        try:
            return self.home.default_key_file.read_text("ascii").strip() or None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{self.home.default_key_file} cannot be read.", hint="Run: dtledger key use NAME"
            ) from error

    def _path(self, name: str) -> Path:
        return self.home.keys / f"{name}.json"

    def _new_path(self, name: str) -> Path:
        path = self._path(check_name(name, "key"))
        self.home.prepare(self.home.keys)
        self._require_new(path)  # asked again under the lock; here it saves the wait for scrypt
        return path

    def _require_new(self, path: Path) -> None:
        if path.exists():
            raise KeyFileError(
                f"There is a key file {path}; it is never overwritten.", hint="Choose another name, or move it away."
            )

    def _use_if_first(self, name: str) -> None:
        if self.default() is None:
            self.use(name)

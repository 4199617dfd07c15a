"""Backups: one file with all that a person needs on a new machine.

It holds the key file as it is, locked by its password, and beside it the home's contacts, deployments and
`config.toml`, encrypted by AES-256-GCM under a key derived from the key's own secrets: whoever finds the file learns an
address, and nobody can put another contact into it.

    {"schema": "dtledger/backup/1", "name", "made_at", "key": {the key file}, "nonce", "ciphertext"}      bytes in hex

A file that is there in the home already is never replaced by one from a backup, but for a key file that is damaged. A
key that is there with the same address gets what the backup has beside it, so an old backup takes nothing away.
"""

from __future__ import annotations

import json
import re
import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .._backend.files import locked, parse_json, write_atomically
from ..crypto.kdf import Label, derive
from ..encoding import decode, encode
from ..errors import InputError, IntegrityError, KeyFileError
from ..home import Home, check_name
from ..types import Address
from . import keystore
from .keyfile import KeyFile
from .secrets import Secrets
from .section import SectionKey
from .store import KeyStore
from .unlocked import UnlockedKey

__all__ = ["Backup", "make_backup", "read_backup", "require_free"]

SCHEMA = "dtledger/backup/1"

MOST_BYTES = 16 * 2**20
"""A larger file is no backup."""

_FILES = ("config.toml", "contacts/*.json", "deployments/*.json")
_PLACE = re.compile(r"config\.toml|(contacts|deployments)/[a-z0-9][a-z0-9-]{0,31}\.json")


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup as it was read; `made_at` is in unix seconds. What it holds beside the key is still encrypted."""

    path: Path
    name: str
    made_at: int
    document: dict[str, Any]
    nonce: bytes
    ciphertext: bytes

    def restore(self, store: KeyStore, password: str, name: str | None = None) -> tuple[str, list[str]]:
        """Put everything into a home that lacks it. Does nothing twice: after a crash, restore again.

        Returns:
            The key's name in the home, and the other files written, as they are called in the home.

        Raises:
            KeyFileError: the password is wrong; or the home has another key of that name.
            IntegrityError: the backup was changed.
            DtledgerError: a file could not be written.
        """
        name = check_name(name or self.name, "key")
        owner = Address(keystore.decrypt(self.document, password, self.path).address)
        section = self.document.get("dtledger")
        held = SectionKey.derive(section, owner, password, self.path).open(section, self.path)
        files = self._files(held, owner)
        key = _restored_key(store, name, self.document, owner, password)
        key.update(lambda secrets: secrets.merged(held).with_backup(held, self.made_at))
        return name, [place for place, data in sorted(files.items()) if _write_new(store.home, place, data)]

    def _files(self, held: Secrets, owner: Address) -> Mapping[str, bytes]:
        try:
            files = decode(
                _cipher(held).decrypt(self.nonce, self.ciphertext, _associated(owner, self.name, self.made_at))
            )
        except InvalidTag:
            raise IntegrityError(f"the backup {self.path} was changed, or is put together from two") from None
        if not isinstance(files, dict) or not all(_PLACE.fullmatch(place) for place in files):
            raise IntegrityError(f"the backup {self.path} holds what is none of a home's files")
        return files


def make_backup(home: Home, key: UnlockedKey, file: KeyFile, target: Path, at: int) -> list[str]:
    """Write the key, contacts, deployments and settings to `target`, and note in the key that this was done.

    Returns the files in it beside the key. `at` is in unix seconds.

    Raises:
        KeyFileError, InputError: as `require_free`.
        DtledgerError: it could not be written.
    """
    require_free(target)
    with locked(file.path):
        document = keystore.read(file.path)
        held = key.reload()
    name = file.name if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", file.name) else "restored"
    found = [each for pattern in _FILES for each in sorted(home.root.glob(pattern))]
    files = {each.relative_to(home.root).as_posix(): each.read_bytes() for each in found if each.is_file()}
    files = {place: data for place, data in files.items() if _PLACE.fullmatch(place)}
    nonce = random.token_bytes(12)
    ciphertext = _cipher(held).encrypt(nonce, encode(files), _associated(key.address, name, at))
    backup = {
        "schema": SCHEMA,
        "name": name,
        "made_at": at,
        "key": document,
        "nonce": nonce.hex(),
        "ciphertext": ciphertext.hex(),
    }
    write_atomically(target, (json.dumps(backup, indent=2) + "\n").encode())
    key.update(lambda secrets: secrets.with_backup(held, at))
    return sorted(files)


def require_free(target: Path) -> None:
    """Pass if a backup may be written to `target`.

    Raises:
        KeyFileError: there is something.
        InputError: there is no folder for it.
    """
    if target.exists():
        raise KeyFileError(f"There is a file {target}; it is not overwritten.", hint="Name another.")
    if not target.parent.is_dir():
        raise InputError(f"There is no folder {target.parent}.", hint="Is the medium there? Name another, or make it.")


def read_backup(path: Path) -> Backup:
    """The backup at `path`, without its password.

    Raises:
        KeyFileError: it cannot be read, or is none.
    """
    try:
        value = parse_json(path.read_bytes(), MOST_BYTES)
        if value["schema"] != SCHEMA or type(value["made_at"]) is not int:
            raise ValueError("another schema")
        nonce, ciphertext = (bytes.fromhex(value[each]) for each in ("nonce", "ciphertext"))
        if len(nonce) != 12:
            raise ValueError("no nonce")
        document = keystore.parse(json.dumps(value["key"]).encode(), path)
        return Backup(path, str(value["name"]), value["made_at"], document, nonce, ciphertext)
    except OSError as error:
        raise KeyFileError(f"The backup {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError):
        raise KeyFileError(
            f"{path} is no backup of dtledger's.", hint="A keystore alone is taken by `dtledger key new --keystore`."
        ) from None


def _restored_key(store: KeyStore, name: str, document: dict[str, Any], owner: Address, password: str) -> UnlockedKey:
    """The key as the home has it now, or else as the backup has it; a damaged file is set aside."""
    path = store.home.keys / f"{name}.json"
    if path.exists():
        try:
            present = keystore.read(path)
        except KeyFileError:
            path.replace(path.with_name(f"{path.name}.damaged"))
        else:
            address = Address(keystore.decrypt(present, password, path).address)
            if address != owner:
                raise KeyFileError(
                    f"There is another key {name} in this home, {address}.",
                    hint="Restore this one by another name: --name NAME.",
                )
            try:
                return store.open(name).unlock(password)
            except KeyFileError:  # its section is damaged or gone
                path.replace(path.with_name(f"{path.name}.damaged"))
    return store.put(name, document).unlock(password)


def _write_new(home: Home, place: str, data: bytes) -> bool:
    """Write a file of the home that is not there yet."""
    path = home.root / place
    home.prepare(path.parent)
    with locked(path):
        if path.exists():
            return False
        write_atomically(path, data)
    return True


def _cipher(secrets: Secrets) -> AESGCM:
    return AESGCM(derive(secrets.seal_key.seed, Label.BACKUP))


def _associated(owner: Address, name: str, made_at: int) -> bytes:
    return encode([SCHEMA, owner, name, made_at])

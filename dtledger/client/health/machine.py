"""What lies on this machine: the home, the key, the block store."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from ...config import Settings
from ...encoding import block_cid
from ...errors import DtledgerError, KeyFileError
from ...home import Home
from ...keys import KeyStore, Passwords, UnlockedKey, keystore
from ...types import Address
from ..opening import open_store
from .check import Check, State

__all__ = ["KeyFound", "home_folder", "key_file", "store"]

DISK_BYTES = 2**28
"""Less free space than this is worth a warning: some days of snapshots of a hundred twins."""


@dataclass(frozen=True, slots=True)
class KeyFound:
    """A key's address, if its file says it, and the key itself, if a file holds its password."""

    address: Address | None
    key: UnlockedKey | None = None


def home_folder(home: Home) -> Check:
    """Raises KeyFileError if others can reach the keys, DtledgerError if nothing can be written."""
    where = f"{home.root} ({home.source})"
    if not home.root.is_dir():
        return Check("home", State.WARNING, f"{where} is not there yet", "It is made when something is written.")
    for folder in (home.keys, home.custodians):
        home.require_private(folder)
    if not os.access(home.root, os.W_OK):
        raise DtledgerError(f"{where} cannot be written.", hint="Make it writable for your account.")
    if _others_may(home.root, 0o022):
        return Check("home", State.WARNING, f"{where} can be changed by others", f"Run: chmod 700 {home.root}")
    free = shutil.disk_usage(home.root).free
    if free < DISK_BYTES:
        return Check("home", State.WARNING, f"{where}: {free // 2**20} MiB free", "Free some space on its disk.")
    return Check("home", State.OK, f"{where}, {free / 2**30:.1f} GiB free")


def key_file(settings: Settings) -> tuple[Check, KeyFound]:
    """The key that the settings name, unlocked if a file holds its password.

    Raises:
        KeyFileError: none is named, it is missing or damaged, or its password is wrong.
    """
    if settings.values["key"].value is None:
        raise KeyFileError("No key is named.", hint="Name one by --key, or make one: dtledger key new NAME")
    file = KeyStore(settings.home).open(settings.key)
    if _others_may(file.path, 0o077):
        mend = f"Run: chmod 600 {file.path}"
        return Check("key", State.WARNING, f"others can read {file.path}", mend), KeyFound(file.address)
    name = f"{file.name} ({settings.source('key')})"
    if settings.password_file is None:
        text = f"{name}, {file.address or 'address unknown'}; its password is asked for"
        return Check("key", State.OK, text), KeyFound(file.address)
    has_section = "dtledger" in keystore.read(file.path)  # unlocking in full would begin one
    password = Passwords(settings.password_file).of(file.name)
    key = file.unlock(password, signing_only=not has_section)
    if not has_section:
        return Check("key", State.OK, f"{name}, {key.address}; adopted, only signed with yet"), KeyFound(key.address)
    if key.secrets.next_seal_key:
        text = f"{name}: a change of the key to seal to was interrupted"
        return Check("key", State.WARNING, text, "Run: dtledger member rekey"), KeyFound(key.address, key)
    return Check("key", State.OK, f"{name}, {key.address}, unlocks"), KeyFound(key.address, key)


def store(settings: Settings) -> Check:
    """A block put, read and removed. Raises UnreachableError, IntegrityError, DtledgerError as the store does."""
    # Few different probes: kubo keeps a small block for each that was ever put.
    probe = f"dtledger doctor {os.getpid()}".encode()
    with open_store(settings) as blocks:
        if settings.store.startswith("gateway:"):
            blocks.has(block_cid(probe, "raw"))
            return Check("store", State.OK, f"{blocks.describe()} answers; putting a block needs an enrolled key")
        cid = blocks.put(probe, "raw")
        blocks.get(cid)
        blocks.remove([cid])
        if blocks.has(cid):
            raise DtledgerError(f"{blocks.describe()} does not remove a block.", hint="Erasing needs that.")
        return Check("store", State.OK, f"{blocks.describe()}: put, read and removed a block")


def _others_may(path: Path, mask: int) -> bool:
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & mask)

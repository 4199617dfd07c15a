"""The keystore part of a key file: Web3 Secret Storage, version 3, as every Ethereum tool reads it.

Source: https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage/
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from .._backend.files import parse_json
from ..encoding import address
from ..errors import KeyFileError
from ..types import Address
from .kdf import Scrypt

__all__ = ["decrypt", "encrypt", "is_weaker", "own_address", "parse", "read"]

MOST_BYTES = 2**24
_MOST_PBKDF2_ROUNDS = 10_000_000


def read(path: Path) -> dict[str, Any]:
    """The key file at `path`, its form checked, nothing decrypted.

    Raises:
        KeyFileError: it is not there, cannot be read, others can change it, or it is no keystore of version 3.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise KeyFileError(
            f"There is no key file {path}.", hint="`dtledger key list` shows those there are."
        ) from error
    except OSError as error:
        raise KeyFileError(f"The key file {path} cannot be read: {error.strerror}.") from error
    if os.name == "posix" and mode & 0o022:
        raise KeyFileError(f"Others on this machine can change the key file {path}.", hint=f"Run: chmod 600 {path}")
    return parse(data, path)


def parse(data: bytes, path: Path) -> dict[str, Any]:
    """The keystore in `data`, its form checked; `path` is for the message. Raises KeyFileError as `read`."""
    try:
        document = parse_json(data, MOST_BYTES)
        # Upper-case names (`Crypto`) were written by the first tools.
        document = {str(key).lower(): value for key, value in document.items()}
        if document["version"] != 3:
            raise ValueError("another version")
        _check_cipher(document["crypto"])
        own_address(document)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise damaged(path) from None
    return document


def damaged(path: Path) -> KeyFileError:
    """The error for a file that is no keystore any more."""
    return KeyFileError(
        f"{path} is damaged, or is no keystore of version 3.",
        hint="Restore it from a backup: dtledger key restore",
    )


def own_address(document: dict[str, Any]) -> Address | None:
    """The address that the file names, or None: some tools leave it out.

    Warning: nothing protects it until the key is unlocked, which compares it with the key's own.
    """
    named = document.get("address")
    if named is None:
        return None
    if not isinstance(named, str):
        raise TypeError("an address is a text")
    return address("0x" + named.lower().removeprefix("0x"))


def encrypt(account: LocalAccount, password: str, kdf: Scrypt) -> dict[str, Any]:
    """A new keystore of the key, under `password`."""
    # eth-account fixes r = 8 and p = 1, so of `kdf` only n is used.
    document: dict[str, Any] = Account.encrypt(account.key, password, kdf="scrypt", iterations=kdf.n)
    return document


def decrypt(document: dict[str, Any], password: str, path: Path) -> LocalAccount:
    """The account in a keystore.

    Raises:
        KeyFileError: the password is wrong, or the encrypted part is damaged: which, nobody can say.
    """
    try:
        account: LocalAccount = Account.from_key(Account.decrypt(document, password))
    except (ValueError, KeyError, TypeError):
        raise KeyFileError(
            f"{path} does not unlock: the password is wrong, or the file is damaged.",
            hint="Try the password again; if it is surely right, restore the file from a backup.",
        ) from None
    named = own_address(document)
    if named is not None and named != str(account.address):
        raise KeyFileError(
            f"{path} names another address than its key's own: somebody changed it.",
            hint="Restore it from a backup: dtledger key restore",
        )
    return account


def is_weaker(document: dict[str, Any], kdf: Scrypt) -> bool:
    """Whether guessing the password at this keystore costs less than `kdf` does."""
    crypto = document["crypto"]
    parameters = crypto["kdfparams"]
    return bool(crypto["kdf"] != "scrypt" or parameters["n"] * parameters["r"] * parameters["p"] < kdf.n * 8)


def _check_cipher(crypto: dict[str, Any]) -> None:
    parameters = crypto["kdfparams"]
    if crypto["cipher"] != "aes-128-ctr" or parameters["dklen"] != 32:
        raise ValueError("another cipher")
    for text, size in ((crypto["ciphertext"], 32), (crypto["mac"], 32), (crypto["cipherparams"]["iv"], 16)):
        if len(bytes.fromhex(text.removeprefix("0x"))) != size:
            raise ValueError("a field of another length")
    bytes.fromhex(parameters["salt"].removeprefix("0x"))
    match crypto["kdf"]:
        case "scrypt":
            Scrypt(*(_whole(parameters[each]) for each in ("n", "r", "p")))
        case "pbkdf2" if parameters["prf"] == "hmac-sha256" and 0 < _whole(parameters["c"]) <= _MOST_PBKDF2_ROUNDS:
            pass
        case _:
            raise ValueError("another key derivation")


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("not a whole number")
    return value

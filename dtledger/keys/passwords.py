"""Where passwords and private keys come from: a file or a question, never an argument of a command."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import KeyFileError

__all__ = ["Passwords", "Prompt", "read_private_key"]

Prompt = Callable[[str], str]
"""Asks its argument on the terminal, without echo, and returns the answer."""

SHORTEST = 8
"""Characters of a new password (NIST SP 800-63B)."""

_MOST_BYTES = 4096
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True, slots=True)
class Passwords:
    """A password's source: `file` if there is one, else `prompt`; with neither there is no password."""

    file: Path | None = None
    prompt: Prompt | None = None

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None, prompt: Prompt | None = None) -> Passwords:
        """The file that DTLEDGER_PASSWORD_FILE names, else ETH_PASSWORD (a file's path too), else `prompt`."""
        env = os.environ if env is None else env
        named = env.get("DTLEDGER_PASSWORD_FILE") or env.get("ETH_PASSWORD")
        return cls(Path(named) if named else None, prompt)

    def of(self, name: str) -> str:
        """The password of the key `name`.

        Raises:
            KeyFileError: there is nowhere to have it from, or its file cannot be used.
        """
        if self.file is not None:
            return _read(self.file, "password")
        if self.prompt is not None:
            return self.prompt(f"Password of key {name}: ")
        raise KeyFileError(
            f"The key {name} is locked, and nobody is there to ask for its password.",
            hint="Set DTLEDGER_PASSWORD_FILE to the path of a file that holds it.",
        )

    def for_new(self, name: str) -> str:
        """A new password for the key `name`; asked for twice.

        Raises:
            KeyFileError: as `of`; or the two differ; or it is too short.
        """
        password = self.of(name)
        if len(password) < SHORTEST:
            raise KeyFileError(
                f"A new password has at least {SHORTEST} characters.", hint="A few words make a good one."
            )
        if self.file is None and self.prompt is not None and self.prompt("The same again: ") != password:
            raise KeyFileError("The two passwords differ.", hint="Try again.")
        return password


def read_private_key(file: Path | None = None, prompt: Prompt | None = None) -> bytes:
    """A private key of 64 hex digits, with or without 0x, from `file`, else by `prompt`.

    Raises:
        KeyFileError: there is neither, the file cannot be used, or what it holds is no private key.
    """
    if file is not None:
        text = _read(file, "private key")
    elif prompt is not None:
        text = prompt("Private key: ")
    else:
        raise KeyFileError("There is nowhere to read the private key from.", hint="Name a file that holds it.")
    try:
        key = bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        key = b""
    if len(key) != 32 or not 0 < int.from_bytes(key, "big") < _ORDER:
        raise KeyFileError("This is no private key.", hint="It has 64 hexadecimal digits.")
    return key


def _read(file: Path, what: str) -> str:
    try:
        with file.open("rb") as opened:
            open_to_others = os.name == "posix" and stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & 0o007
            data = opened.read(_MOST_BYTES + 1)
        text = data.decode().rstrip("\r\n")
    except OSError as error:
        raise KeyFileError(f"The {what} file {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise KeyFileError(f"The {what} file {file} is not UTF-8 text.") from None
    if open_to_others:
        raise KeyFileError(f"Everybody on this machine can read the {what} file {file}.", hint=f"Run: chmod 600 {file}")
    if not text or len(data) > _MOST_BYTES:
        raise KeyFileError(f"The {what} file {file} is {'too long' if text else 'empty'}.")
    return text

"""TOML files, and on which line each of their keys stands."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError

__all__ = ["Document", "read_document"]

MOST_BYTES = 65_536
"""A larger file is no configuration."""


@dataclass(frozen=True, slots=True)
class Document:
    """A TOML file as it was read. It may hold the credentials of a node, so its repr is its path."""

    path: Path
    text: str = field(default="", repr=False)
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def where(self, *keys: str) -> str:
        """The file and the line on which the value at `keys` begins."""
        return f"{self.path}, line {self._line(keys)}"

    def _line(self, keys: tuple[str, ...]) -> int:
        # TOML parsers keep no positions. The key's line is the first that, parsed with all above it, brings the key;
        # a value of several lines parses only at its last, so the line where the key's name appeared is remembered.
        lines = self.text.split("\n")
        begins = 0
        for number, line in enumerate(lines, 1):
            if not begins and keys[-1] not in line:
                continue
            begins = begins or number
            try:
                data = tomllib.loads("\n".join(lines[:number]))
            except tomllib.TOMLDecodeError:
                continue
            if _has(data, keys):
                return begins
            begins = 0
        return 1


def read_document(path: Path) -> Document | None:
    """The TOML file at `path`, or None if there is none.

    Raises:
        InputError: it cannot be read, or is not TOML; the message names file and line.
    """
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    if len(raw) > MOST_BYTES:
        raise InputError(f"{path} is larger than {MOST_BYTES} bytes: it is no configuration of dtledger.")
    try:
        text = raw.decode().replace("\r\n", "\n")
        return Document(path, text, tomllib.loads(text))
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path} is not TOML: {error}.", hint="See https://toml.io for the form.") from error


def _has(data: Any, keys: tuple[str, ...]) -> bool:
    for key in keys:
        if not isinstance(data, dict) or key not in data:
            return False
        data = data[key]
    return True

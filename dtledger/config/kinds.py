"""What a setting may be: each reads a TOML value, or raises ValueError saying what it must be.

Relative paths count from the folder of the file that names them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..errors import InputError
from ..home import check_name

Read = Callable[[Any, Path], Any]

INSTANT, FINALIZED = "instant", "finalized"
"""When a block is final: as it comes (Anvil, Avalanche, QBFT), or when the node says so."""


def words(value: Any) -> str:
    """A text in one line, without blanks around it."""
    if not isinstance(value, str) or not value.strip() or any(ord(each) < 32 for each in value):
        raise ValueError("must be a text in one line")
    return value.strip()


def number(least: int, most: int, what: str) -> Read:
    """A whole number from `least` to `most`; `what` says so to whoever gives another value."""

    def read(value: Any, _: Path) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"must be {what}")
        return value

    return read


def finality(value: Any, _: Path) -> str:
    """`INSTANT` or `FINALIZED`."""
    if value not in (INSTANT, FINALIZED):
        raise ValueError(f'must be "{INSTANT}" or "{FINALIZED}"')
    return str(value)


def integer(text: str) -> Any:
    """A number as it is written at a prompt or in the environment; anything else stays a text, and is refused later."""
    return int(text) if re.fullmatch(r"\d{1,78}", text.strip()) else text


def name(text: str, what: str) -> str:
    """A name of the kind that `what` is (`home.check_name`)."""
    try:
        return check_name(text, what)
    except InputError as error:
        raise ValueError(f"must be the name of a {what}. {error.hint}") from error


def path(text: str, base: Path) -> str:
    """A path, which counts from the folder `base`."""
    return str(base / Path(text).expanduser())


def as_path(text: str) -> str:
    """The text, so that it is taken for a path and for no name."""
    return text if is_path(text) else f"./{text}"


def is_path(text: str) -> bool:
    """Whether a text means a path rather than a name."""
    return "/" in text or os.sep in text or text.endswith(".json")


def name_or_path(what: str) -> Read:
    """A name of that kind, or a path."""

    def read(value: Any, base: Path) -> str:
        text = words(value)
        return path(text, base) if is_path(text) else name(text, what)

    return read


def database(value: Any, _: Path) -> str:
    """A URL of a PostgreSQL database, as libpq reads it, without a password: that has a file of its own."""
    text = words(value)
    try:
        parts = urlsplit(text)
        said = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        secret = parts.password is not None or bool(said & {"password", "sslpassword"})
    except ValueError:
        parts, secret = urlsplit(""), False
    if secret:
        raise ValueError("must hold no password: write that into the file that PGPASSFILE names (~/.pgpass)")
    if parts.scheme not in ("postgresql", "postgres") or parts.fragment or " " in text:
        raise ValueError('must be a URL that begins with postgresql://, like "postgresql:///dtledger"')
    return text


def url(value: Any, _: Path) -> str:
    """A URL of HTTP with a host."""
    text = words(value)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or " " in text:
        raise ValueError("must be a URL that begins with http:// or https://")
    return text

"""Every setting: its name, what it may be, where it may stand, and what it is when nobody says.

An entry reads a TOML value (`read`) or a word from the command line or the environment (`parse`, then `read`).
Relative paths count from the folder of the file that names them, or from the working folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import InputError
from ..vocabulary import category, unit
from .kinds import Read, as_path, database, finality, integer, name, name_or_path, number, path, url, words
from .redact import redact_url

__all__ = ["DEVNET", "EMBEDDED", "ENTRIES", "Entry", "entry"]

EMBEDDED = "embedded"
"""Custodians in this process: for development only."""

DEVNET = "devnet"
"""The profile that is there without a file."""

_MULTIADDR = re.compile(r"/(ip4|ip6|dns|dns4|dns6)/[^/]+/tcp/\d{1,5}(/https?)?(/.*)?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting. `read` gives the value as it is used, or raises ValueError saying what it must be.

    `personal`: may stand above all profiles. `harmless`: may stand in a `.dtledger.toml`. `devnet` is the value in the
    profile of that name, `default` the one in every profile.
    """

    name: str
    text: str
    read: Read
    parse: Callable[[str], Any] = str
    default: Any = None
    devnet: Any = None
    aliases: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)
    personal: bool = False
    harmless: bool = False
    show: Callable[[Any], str] = str

    @property
    def variables(self) -> dict[str, Callable[[str], Any]]:
        """The environment variables that set it, and how each is parsed; the first that is set counts."""
        return {f"DTLEDGER_{self.name.upper()}": self.parse, **self.aliases}


def entry(name: str) -> Entry:
    """The setting of that name.

    Raises:
        InputError: there is none; the message names the nearest and lists all.
    """
    if name in ENTRIES:
        return ENTRIES[name]
    near = get_close_matches(name, ENTRIES, 1)
    meant = f"Did you mean {near[0]}? " if near else ""
    raise InputError(f"There is no setting {name!r}.", hint=f"{meant}Known: {', '.join(ENTRIES)}.")


def _word_of(vocabulary: Callable[[str], str]) -> Read:
    def read(value: Any, _: Path) -> str:
        text = words(value)
        try:
            return vocabulary(text)
        except ValueError as error:
            raise ValueError(f"cannot be used: {error}") from error

    return read


def _profile(value: Any, _: Path) -> str:
    return name(words(value), "profile")


def _store(value: Any, base: Path) -> str:
    text = words(value)
    kind, separator, folder = text.partition(":")
    if kind == "directory" and separator and folder:
        return f"directory:{path(folder, base)}"
    if _MULTIADDR.fullmatch(text):
        return text
    if kind == "gateway" and separator:
        return f"gateway:{url(folder, base).rstrip('/')}"
    raise ValueError('must be "directory:PATH", a multiaddr like "/ip4/127.0.0.1/tcp/5001/http", or "gateway:URL"')


def _custodians(value: Any, base: Path) -> str | tuple[str, ...]:
    if value == EMBEDDED:
        return EMBEDDED
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f'must be "{EMBEDDED}" or a list of URLs')
    urls = tuple(url(each, base).rstrip("/") for each in value)
    if len(set(urls)) != len(urls):
        raise ValueError("must name each custodian once")
    return urls


def _relays(value: Any, base: Path) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of URLs")
    return tuple(dict.fromkeys(url(each, base).rstrip("/") for each in value))


def _split(text: str) -> Any:
    return EMBEDDED if text.strip() == EMBEDDED else [each.strip() for each in text.split(",") if each.strip()]


def _show_custodians(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(redact_url(each) for each in value)


def _zone(value: Any, _: Path) -> str:
    text = words(value)
    try:
        ZoneInfo(text)
    except (ValueError, OSError, LookupError) as error:
        raise ValueError("must be a time zone such as Europe/Vienna or UTC") from error
    return text


_ENTRIES = (
    Entry("profile", "which profile is used", _profile, default=DEVNET, personal=True, harmless=True),
    Entry(
        "rpc_url",
        "the Ethereum node",
        url,
        devnet="http://127.0.0.1:8545",
        aliases={"ETH_RPC_URL": str},
        show=redact_url,
    ),
    Entry(
        "store", "the block store: directory:PATH, kubo's multiaddr, or gateway:URL", _store, devnet="directory:blocks"
    ),
    Entry(
        "deployment", "which contracts: a name in deployments/ or a file", name_or_path("deployment"), devnet="devnet"
    ),
    Entry(
        "index",
        "PostgreSQL in a file's stead for what is read of the ledger: postgresql://…, without a password",
        database,
        show=redact_url,
    ),
    Entry(
        "custodians",
        "embedded (development only), or their URLs",
        _custodians,
        _split,
        devnet=EMBEDDED,
        show=_show_custodians,
    ),
    Entry(
        "relays",
        "gateways that carry what the key signs, so that it needs no gas: their URLs",
        _relays,
        lambda text: [each.strip() for each in text.split(",") if each.strip()],
        default=(),
        show=lambda value: ", ".join(redact_url(each) for each in value),
    ),
    Entry(
        "key",
        "a key's name, or a keystore file",
        name_or_path("key"),
        aliases={"ETH_KEYSTORE": as_path},
        personal=True,
    ),
    Entry(
        "password_file",
        "the file that holds the key's password",
        lambda value, base: path(words(value), base),
        aliases={"ETH_PASSWORD": str},
        personal=True,
    ),
    Entry(
        "max_head_age",
        "how old the ledger's head may be, in seconds",
        number(1, 86_400, "a whole number of seconds, 1 to 86400"),
        integer,
        default=60,
    ),
    Entry("finality", "when a block is final: instant, or finalized by the node's word", finality),
    Entry("tz", "the time zone that times are shown in", _zone, personal=True, harmless=True),
    Entry(
        "unit",
        "the unit that values are shown in",
        _word_of(lambda text: unit(text).code),
        personal=True,
        harmless=True,
    ),
    Entry(
        "category",
        "the category meant when none is named",
        _word_of(lambda text: category(text).name),
        personal=True,
        harmless=True,
    ),
    Entry(
        "twin",
        "the twin meant when none is named",
        number(0, 2**256 - 1, "the number of a twin"),
        integer,
        personal=True,
        harmless=True,
    ),
)

ENTRIES: Mapping[str, Entry] = MappingProxyType({each.name: each for each in _ENTRIES})

"""A service's configuration: one TOML file, and environment variables over it.

    bind = "10.0.0.5:8701"              # where it listens
    tls_certificate = "server.pem"      # relative paths count from the file's folder
    tls_key = "server.key"

Each setting is known, of the right form and once there, or the service does not start; the message has file, key and
line. `DTLEDGER_CUSTODIAN_BIND` in the environment is over `bind` in a custodian's file.

>>> settings = ServiceSettings.load("custodian", COMMON, None, {"DTLEDGER_CUSTODIAN_BIND": "127.0.0.1:9000"})
>>> settings["bind"], settings.source("bind")
(('127.0.0.1', 9000), 'environment DTLEDGER_CUSTODIAN_BIND')
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from .._backend.loopback import is_loopback
from ..config import Document, Entry, Setting, kinds, read_document, read_value
from ..config.kinds import database, integer, number, path, words
from ..config.redact import redact_url
from ..errors import InputError

__all__ = [
    "COMMON",
    "ServiceSettings",
    "database_setting",
    "file_setting",
    "flag",
    "key_names",
    "whole_number",
]


def file_setting(name: str, text: str) -> Entry:
    """A setting that is a file's or folder's path."""
    return Entry(name, text, lambda value, base: path(words(value), base))


def database_setting(name: str, text: str) -> Entry:
    """A setting that is the URL of a PostgreSQL database, without a password."""
    return Entry(name, text, database, show=redact_url)


def whole_number(name: str, text: str, default: int, least: int, most: int) -> Entry:
    """A setting that is a whole number from `least` to `most`."""
    return Entry(name, text, number(least, most, f"a whole number, {least} to {most}"), integer, default)


def flag(name: str, text: str) -> Entry:
    """A setting that is on or off; off by default."""

    def read(value: Any, _: Path) -> bool:
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
        return value

    return Entry(name, text, read, lambda word: {"true": True, "false": False}.get(word.strip().lower(), word), False)


def key_names(value: Any, _: Path) -> tuple[str, ...]:
    """Names of keys: a list of them or, in the environment, a text with commas."""
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, list):
        raise ValueError('must be a list of names, like ["relay-1", "relay-2"]')
    names = tuple(kinds.name(words(each), "key") for each in listed)
    if len(set(names)) < len(names):
        raise ValueError("must name each key once")
    return names


def _bind(value: Any, _: Path) -> tuple[str, int]:
    host, separator, port = words(value).rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (separator and host and port.isascii() and port.isdecimal() and int(port) < 65_536):
        raise ValueError('must be ADDRESS:PORT, like "127.0.0.1:8701" or "[::1]:8701"')
    return host, int(port)


COMMON: tuple[Entry, ...] = (
    Entry("bind", "where it listens, ADDRESS:PORT", _bind, default=("127.0.0.1", 8701)),
    file_setting("tls_certificate", "the file of the certificate, with those between it and its root (PEM)"),
    file_setting("tls_key", "the file of the certificate's private key (PEM, without a password)"),
    flag("plain_http", "listen without TLS beyond this machine: a proxy before it does TLS"),
    whole_number("body_bytes", "largest body of a request, in bytes", 16 * 2**20, 1_024, 2**30),
    whole_number("body_seconds", "how long a request's body may take", 30, 1, 3_600),
    whole_number("idle_seconds", "how long a connection may be idle, or take for the head of a request", 20, 1, 3_600),
    whole_number("connections", "most connections at a time", 1_024, 1, 65_536),
    whole_number("concurrent", "most requests at a time; more are answered 503", 256, 1, 65_536),
    whole_number("memory_bytes", "most bytes of bodies at a time; more is answered 503", 256 * 2**20, 2**20, 2**40),
    whole_number("threads", "how many requests are worked on at a time", 16, 1, 1_024),
    whole_number("stop_seconds", "how long a stop waits for requests that were accepted", 30, 1, 3_600),
)
"""What every service can be told."""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """The settings of one service, each with its source. A setting that nobody named is its default, perhaps None."""

    service: str
    values: Mapping[str, Setting]
    file: Path | None

    @classmethod
    def load(
        cls, service: str, entries: Sequence[Entry], file: Path | None = None, env: Mapping[str, str] | None = None
    ) -> ServiceSettings:
        """The settings of the service of that name (`custodian`, `gateway`) from its file and the environment, by
        default the process's.

        Raises:
            InputError: the file is not there, or something in it or in a variable cannot be used; it is named.
        """
        env = os.environ if env is None else env
        document = Document(Path())
        if file is not None:
            found = read_document(file.absolute())
            if found is None:
                raise InputError(f"There is no configuration file {file}.", hint="Name it by --config FILE.")
            document = found
        by_name = {each.name: each for each in entries}
        _refuse_unknown(document, by_name)
        values = {name: _find(service, each, document, env) for name, each in by_name.items()}
        settings = cls(service, values, file)
        _check_tls(settings)
        return settings

    def __getitem__(self, name: str) -> Any:
        return self.values[name].value

    @property
    def own_url(self) -> str:
        """Where a service of these settings is asked from its own machine."""
        host, port = self["bind"]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 it is not listened at
        scheme = "http" if self["tls_certificate"] is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def source(self, name: str) -> str:
        """Where the value of that setting came from: a file with its line, a variable, `default`, `not set`."""
        return self.values[name].source

    def require(self, name: str, what: str) -> Any:
        """The value of a setting that must be there; `what` says what it is.

        Raises:
            InputError: it is not.
        """
        value = self[name]
        if value is None:
            place = self.file or "No configuration file is named, and the environment"
            write = f"Write `{name} = …` there" if self.file else "Name the file by --config FILE"
            raise InputError(
                f"{place} names no {name} ({what}).", hint=f"{write}, or set {_variable(self.service, name)}."
            )
        return value


def _variable(service: str, name: str) -> str:
    return f"DTLEDGER_{service}_{name}".upper()


def _refuse_unknown(document: Document, by_name: Mapping[str, Entry]) -> None:
    for name in document.data:
        if name not in by_name:
            near = get_close_matches(name, by_name, 1)
            meant = f"Did you mean {near[0]}? " if near else ""
            raise InputError(
                f"{document.where(name)}: There is no setting {name!r}.", hint=f"{meant}Known: {', '.join(by_name)}."
            )


def _find(service: str, each: Entry, document: Document, env: Mapping[str, str]) -> Setting:
    variable = _variable(service, each.name)
    if each.name in document.data:  # what is wrong in the file is said even where a variable is over it
        place = document.where(each.name)
        written = Setting(read_value(each, document.data[each.name], document.path.parent, place), place)
    else:
        written = Setting(each.default, "not set" if each.default is None else "default")
    if text := env.get(variable):
        source = f"environment {variable}"
        return Setting(read_value(each, each.parse(text), Path.cwd(), source), source)
    return written


def _check_tls(settings: ServiceSettings) -> None:
    """Both files of TLS or none; and none only where nobody can listen in."""
    certificate, key = settings["tls_certificate"], settings["tls_key"]
    if (certificate is None) is not (key is None):
        there, missing = ("tls_certificate", "tls_key") if key is None else ("tls_key", "tls_certificate")
        raise InputError(f"{settings.source(there)}: {there} needs {missing} beside it.")
    host, _ = settings["bind"]
    if certificate is None and not settings["plain_http"] and not is_loopback(host):
        raise InputError(
            f"{settings.source('bind')}: bind is not of this machine alone, and there is no tls_certificate.",
            hint="Name tls_certificate and tls_key; or, if a proxy before it does TLS, plain_http = true.",
        )

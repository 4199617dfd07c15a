"""What a configuration file may say, and where in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import InputError
from ..home import check_name
from .documents import Document
from .schema import DEVNET, ENTRIES, Entry, entry

__all__ = ["PROJECT_FILE", "check_home", "check_project", "profiles", "read_value"]

PROJECT_FILE = ".dtledger.toml"


def profiles(document: Document) -> tuple[str, ...]:
    """The profiles that a home's configuration has; `devnet` is always there."""
    return tuple(dict.fromkeys((DEVNET, *document.data.get("profiles", {}))))


def check_home(document: Document, base: Path) -> None:
    """Pass if every key of the home's configuration is known, in its place, and of the right form.

    Raises:
        InputError: one is not; file, key and line are named.
    """
    for name, value in document.data.items():
        if name == "profiles":
            continue
        each = _known(document, (name,))
        if not each.personal:
            raise InputError(
                f"{document.where(name)}: {name} must stand in a profile.",
                hint="Put it under a line [profiles.NAME].",
            )
        _read(each, value, base, document, (name,))
    tables = document.data.get("profiles", {})
    if not isinstance(tables, dict):
        raise InputError(f"{document.where('profiles')}: profiles must be tables.", hint="Write [profiles.NAME].")
    for profile, table in tables.items():
        place = document.where("profiles", profile)
        try:
            check_name(profile, "profile")
        except InputError as error:
            raise InputError(f"{place}: {error.message}", hint=error.hint) from error
        if not isinstance(table, dict):
            raise InputError(f"{place}: a profile is a table.", hint=f"Write [profiles.{profile}].")
        for name, value in table.items():
            keys = ("profiles", profile, name)
            each = _known(document, keys)
            if name == "profile":
                raise InputError(f"{document.where(*keys)}: a profile names no profile.", hint="Move it to the top.")
            _read(each, value, base, document, keys)


def check_project(document: Document) -> None:
    """Pass if a `.dtledger.toml` says nothing but what is harmless. Raises InputError as `check_home`."""
    harmless = ", ".join(name for name, each in ENTRIES.items() if each.harmless)
    for name in document.data:
        if name != "profiles" and _known(document, (name,)).harmless:
            continue
        raise InputError(
            f"{document.where(name)}: {name} may not stand in a {PROJECT_FILE}, which comes with its folder.",
            hint=f"Put it in the config.toml of your home. A {PROJECT_FILE} may say: {harmless}.",
        )


def _known(document: Document, keys: tuple[str, ...]) -> Entry:
    try:
        return entry(keys[-1])
    except InputError as error:
        raise InputError(f"{document.where(*keys)}: {error.message}", hint=error.hint) from error


def read_value(each: Entry, value: Any, base: Path, source: str) -> Any:
    """The value as it is used; InputError names `source`. The value is not shown: it may hold a credential."""
    try:
        return each.read(value, base)
    except ValueError as error:
        raise InputError(f"{source}: {each.name} {error}.", hint=f"It is {each.text}.") from None


def _read(each: Entry, value: Any, base: Path, document: Document, keys: tuple[str, ...]) -> None:
    try:
        each.read(value, base)
    except ValueError:  # only now look for the line
        read_value(each, value, base, document.where(*keys))

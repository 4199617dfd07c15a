"""Changing one line of the home's `config.toml`; everything else, comments too, stays as a person wrote it."""

from __future__ import annotations

import tomllib
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable

from .._backend.files import locked, write_atomically
from ..errors import DtledgerError, InputError
from ..home import Home, check_name
from .check import check_home, profiles, read_value
from .documents import Document, read_document
from .schema import Entry, entry

__all__ = ["set_value"]


def set_value(
    home: Home,
    key: str,
    text: str,
    *,
    profile: str | None = None,
    folder: Path | None = None,
    dry_run: bool = False,
) -> str:
    """Set `key` to what `text` says, and return the full key that was set.

    `key` is `profiles.NAME.SETTING`, or a setting's name: of `profile` if one is given, else above all profiles.
    Relative paths count from `folder`, by default the working folder, and are stored whole. With `dry_run` all is
    checked and nothing is written.

    Raises:
        InputError: no such setting, not a value for it, or the file cannot be used as it is.
        DtledgerError: the file could not be written; it is as it was.
    """
    each, keys = _resolve(key, profile)
    value = read_value(each, each.parse(text), (folder or Path.cwd()).absolute(), f"setting {'.'.join(keys)}")
    value = list(value) if isinstance(value, tuple) else value
    file = home.config_file
    if dry_run:
        _changed(home, each, keys, value)
        return ".".join(keys)
    home.prepare(home.root)
    with locked(file):
        write_atomically(file, _changed(home, each, keys, value).encode())
    return ".".join(keys)


def _changed(home: Home, each: Entry, keys: tuple[str, ...], value: Any) -> str:
    """The text of the home's configuration with that value in it."""
    file = home.config_file
    old = read_document(file) or Document(file)
    check_home(old, home.root)
    if each.name == "profile" and value not in profiles(old):
        raise InputError(
            f"There is no profile {value!r} in {file}.",
            hint=f"Known: {', '.join(profiles(old))}; `config set profiles.{value}.rpc_url URL` begins it.",
        )
    changed = _with(old.text, keys, value)
    check_home(Document(file, changed, tomllib.loads(changed)), home.root)
    return changed


def _resolve(key: str, profile: str | None) -> tuple[Entry, tuple[str, ...]]:
    match key.split("."):
        case [name]:
            each = entry(name)
            if profile is not None and name != "profile":
                return each, ("profiles", check_name(profile, "profile"), name)
            if each.personal:
                return each, (name,)
            raise InputError(f"{name} belongs to a profile.", hint=f"Set profiles.NAME.{name} instead.")
        case ["profiles", named, name] if name != "profile":
            return entry(name), ("profiles", check_name(named, "profile"), name)
    raise InputError(f"{key!r} is no setting.", hint="Write SETTING or profiles.NAME.SETTING.")


def _with(text: str, keys: tuple[str, ...], value: Any) -> str:
    try:
        document = tomlkit.parse(text)
        holder: MutableMapping[str, Any] = document
        for depth, key in enumerate(keys[:-1]):
            if key not in holder:
                inline = isinstance(holder, InlineTable)
                holder[key] = tomlkit.inline_table() if inline else tomlkit.table(is_super_table=depth == 0)
            holder = holder[key]
        holder[keys[-1]] = value
        changed = tomlkit.dumps(document)
        expected = _set(tomllib.loads(text), keys, value)
        if tomllib.loads(changed) == expected:
            return changed
    except (TOMLKitError, ValueError) as error:
        raise DtledgerError("The configuration could not be changed.", hint="Change it in an editor.") from error
    raise DtledgerError(
        "Setting this value would have changed others; nothing was written.", hint="Change the file in an editor."
    )


def _set(data: dict[str, Any], keys: tuple[str, ...], value: Any) -> dict[str, Any]:
    holder = data
    for key in keys[:-1]:
        holder = holder.setdefault(key, {})
    holder[keys[-1]] = value
    return data

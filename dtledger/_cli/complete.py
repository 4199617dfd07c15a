"""What the shell offers when a name is asked for: the home's own keys, contacts and profiles, and the settings.

Nothing is unlocked and nobody is asked. Where the home cannot be read, nothing is offered: a completion never fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from ..errors import DtledgerError
from ..home import Home

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _offer(names: Callable[[Home], Iterable[str]]) -> Complete:
    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        try:
            known = names(Home.locate(ctx.params.get("home")))
        except DtledgerError:
            return []
        return [name for name in known if name.startswith(incomplete)]

    return complete


def _keys(home: Home) -> Iterable[str]:
    return _files(home.require_private(home.keys))  # `KeyStore` would take a second to import


def _contacts(home: Home) -> Iterable[str]:
    return _files(home.contacts)


def _files(folder: Path) -> Iterable[str]:
    return sorted(path.stem for path in folder.glob("*.json") if not path.name.startswith("."))


def _profiles(home: Home) -> Iterable[str]:
    from ..config.check import profiles
    from ..config.documents import Document, read_document

    return profiles(read_document(home.config_file) or Document(home.config_file))


def _settings(_: Home) -> Iterable[str]:
    from ..config import ENTRIES

    return ENTRIES


keys = _offer(_keys)
contacts = _offer(_contacts)
profiles = _offer(_profiles)
settings = _offer(_settings)

"""Options that several verbs of `member` share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

FILE = click.Path(path_type=Path, dir_okay=False)

yes = click.option("--yes", is_flag=True, help="Do not ask.")
dry_run = click.option("--dry-run", is_flag=True, help="Show what would be done; send nothing.")


def agreement(command: Callable[..., Any]) -> Callable[..., Any]:
    """How an organisation says that the card's member belongs to it."""
    by_file = click.option(
        "--agreement", type=FILE, metavar="FILE", help="The organisation's, from `dtledger member agree`."
    )
    by_key = click.option(
        "--organisation-key", metavar="NAME", help="The organisation's key, if it is in this home: it signs now."
    )
    return by_file(by_key(command))


def target(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The file to write, and whether it may replace one."""

    def wrap(command: Callable[..., Any]) -> Callable[..., Any]:
        out = click.option("--out", type=FILE, metavar="FILE", help=f"The file to write; by default {default}.")
        replace = click.option("--replace", is_flag=True, help="Replace the file if there is one.")
        return out(replace(command))

    return wrap

"""Categories, purposes, lists and tables, as they are written on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..vocabulary import CATEGORIES, Purpose

if TYPE_CHECKING:
    from ..types import Period
    from .app import App

CATEGORY_NAMES = tuple(each.name for each in CATEGORIES)
ALL = "all"

CATEGORY = click.Choice(CATEGORY_NAMES)
PURPOSE = click.Choice([each.name for each in Purpose], case_sensitive=False)


def category_option(app: App, named: str | None) -> str:
    """The category named, or the one that the settings name."""
    chosen = named or app.settings.category
    if chosen is None:
        raise click.UsageError("Name the category: --category NAME, or `dtledger config set category NAME`.")
    return chosen


def categories_option(named: Sequence[str]) -> tuple[str, ...]:
    """Categories in the order of the vocabulary. `all` takes in every one that is not sensitive, and no other.

    >>> categories_option(["notes", "all"])[-4:], "genomics" in categories_option(["all"])
    (('notes', 'device', 'twin-state', 'forecast'), False)
    """
    chosen = set(named) - {ALL}
    if ALL in named:
        chosen |= {each.name for each in CATEGORIES if not each.sensitive}
    return tuple(name for name in CATEGORY_NAMES if name in chosen)


def shortened(names: Sequence[str]) -> list[str]:
    """Categories with `all` for all that it takes in, as `--category` would have them.

    >>> shortened([*categories_option(["all"]), "notes"]), shortened(["meals"])
    (['all', 'notes'], ['meals'])
    """
    everything = categories_option([ALL])
    if not set(everything) <= set(names):
        return list(names)
    return [ALL, *(name for name in names if name not in everything)]


def listed(words: Iterable[str], last: str = "and") -> str:
    """Words as a sentence lists them.

    >>> listed(["glucose", "meals", "sleep"])
    'glucose, meals and sleep'
    """
    *before, final = words
    return f"{', '.join(before)} {last} {final}" if before else final


def period_words(app: App, period: Period) -> str:
    """A data period in local time, both minutes included."""
    return f"{app.time(period.start * 60)} to {app.time(period.end * 60)}"


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Rows under headings, as lines with aligned columns; the last column is not padded.

    >>> table(["twin", "owner"], [[7, "you"]])
    ['twin  owner', '7     you']
    """
    cells = [[str(each) for each in row] for row in (headings, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]

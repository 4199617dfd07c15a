"""Categories, purposes, lists and tables, as they are written on the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ..vocabulary import CATEGORIES, Kind, Purpose, UseTerm, use_term

if TYPE_CHECKING:
    from ..types import Period
    from .app import App

_DOUBTFUL = re.compile(r"[^\n\t -~]")
_COLOUR = re.compile(r"(\x1b\[[\d;]*m)", re.ASCII)

CATEGORY_NAMES = tuple(each.name for each in CATEGORIES)
ALL = "all"


class Word(click.Choice[str]):
    """One of many words in any case: whoever mistypes one is told the nearest, and where they all stand."""

    def __init__(self, words: Sequence[str], topic: str, metavar: str) -> None:
        super().__init__(words, case_sensitive=False)
        self._metavar = metavar
        self._topic = f"`dtledger help {topic}` tells them all."

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return self._metavar

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        folded = {word.casefold(): word for word in self.choices}
        near = get_close_matches(str(value).casefold(), folded, n=1)
        meant = f" Did you mean {folded[near[0]]}?" if near else ""
        return f"there is no {value!r}.{meant} {self._topic}"

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:
        return self._topic


class Code(click.Choice[str]):
    """One of a few codes in any case: whoever mistypes one is told them as they are written."""

    def __init__(self, codes: Sequence[str]) -> None:
        super().__init__(codes, case_sensitive=False)

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        return f"{value!r} is none of {', '.join(self.choices)}"


class Words(click.ParamType[tuple[str, ...]]):
    """Several such words with commas between: `glucose,meals`. Its value is a tuple of them."""

    name = "words"

    def __init__(self, word: Word) -> None:
        self._word = word

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(str(self._word.convert(each.strip(), param, ctx)) for each in value.split(","))

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str | None:
        return self._word.get_missing_message(param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, last = incomplete.rpartition(",")
        return [CompletionItem(before + comma + each.value) for each in self._word.shell_complete(ctx, param, last)]


class Url(click.ParamType[str]):
    """The address of a service."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from ..config.kinds import url

        try:
            return str(url(value, Path()))
        except ValueError as error:
            self.fail(f"{error}, not {value!r}", param, ctx)


URL = Url()
CATEGORY = Word(CATEGORY_NAMES, "categories", "NAME")
CATEGORY_OR_ALL = Word([*CATEGORY_NAMES, ALL], "categories", "NAME")
PURPOSE = Word([each.name for each in Purpose], "purposes", "CODE")
KIND = Word([each.name for each in Kind], "kinds", "KIND")
CATEGORIES_OR_ALL = Words(CATEGORY_OR_ALL)
PURPOSES = Words(PURPOSE)
ACTIONS = Words(Word(["READ", "WRITE", "TRAIN"], "actions", "ACTION"))


class Research(click.ParamType[UseTerm]):
    """A term of the Data Use Ontology by its code or short form, with its value: `NPUNCU`, `DS=MONDO:0005148`."""

    name = "term"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> UseTerm:
        if isinstance(value, UseTerm):
            return value
        try:
            return use_term(str(value))
        except ValueError as error:
            self.fail(f"{error}. `dtledger help research` tells them all.", param, ctx)


RESEARCH = Research()


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


def visible(text: str, *, coloured: bool = False) -> str:
    """Text with every character that a terminal would obey instead of show, or that hides others, in its escaped form.
    `coloured` leaves colours: for what was put together here.

    >>> visible("card" + chr(27) + "[2J" + chr(0x202E) + ".json")
    'card\\\\x1b[2J\\\\u202e.json'
    """
    if coloured:
        return "".join(part if place % 2 else visible(part) for place, part in enumerate(_COLOUR.split(text)))
    return _DOUBTFUL.sub(lambda found: found[0] if found[0].isprintable() else repr(found[0])[1:-1], text)


def flat(several: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """The words of an option that may be repeated and may hold several with commas between, each once."""
    return tuple(dict.fromkeys(word for words in several for word in words))


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

"""`help`: topics that no single command explains. Their texts are in `topics.md`; tables come from the vocabulary.

>>> [name for name in topics() if name.startswith("ex")]
['exit-codes']
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources

import click

from ..config import ENTRIES
from ..vocabulary import CATEGORIES, DUO, MEASURES, Action, Kind, Purpose, Reason
from ..vocabulary.units import UNITS
from .app import App
from .command import Verb
from .main import NOUNS

_HEADING = re.compile(r"^## ([a-z-]+): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic, its tables filled in."""

    name: str
    title: str
    text: str


def _complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return [each for each in topics() if each.startswith(incomplete)]


@click.command("help", cls=Verb, epilog="Example: dtledger help exit-codes")
@click.argument("words", metavar="[TOPIC | COMMAND]", nargs=-1, shell_complete=_complete)
@click.pass_context
def help_command(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Explain a topic or a command; alone, list the topics."""
    app: App = ctx.obj
    if not words:
        _list(app)
        return
    found = topics().get("-".join(words).lower())
    if found is None:
        text = _help_of_command(ctx, words)
        app.show(text)
        app.data("help", topic=" ".join(words), title="", text=text)
        return
    app.show(f"{click.style(found.title, bold=True)}\n\n{found.text}")
    if found.name in NOUNS:
        app.say(f"\nIts commands: dtledger {found.name} --help")
    app.data("help", topic=found.name, title=found.title, text=found.text)


def _list(app: App) -> None:
    width = max(map(len, topics()))
    for topic in topics().values():
        app.show(f"{topic.name:<{width}}  {topic.title}")
    app.say("Read one: dtledger help TOPIC. Every command explains itself: dtledger COMMAND --help.")
    app.data("help-topics", topics=[{"name": each.name, "title": each.title} for each in topics().values()])


def _help_of_command(ctx: click.Context, words: Iterable[str]) -> str:
    """The --help of a command by its words.

    Raises:
        click.UsageError: there is neither such a topic nor such a command.
    """
    here = ctx.find_root()
    for word in words:
        group = here.command
        found = group.get_command(here, word) if isinstance(group, click.Group) else None
        if found is None:
            known = [*topics(), *(group.list_commands(here) if isinstance(group, click.Group) else [])]
            near = get_close_matches(word, known, 1)
            meant = f"Did you mean {near[0]}? " if near else ""
            raise click.UsageError(f"There is no topic or command {word!r}. {meant}`dtledger help` lists the topics.")
        here = click.Context(found, info_name=word, parent=here)
    return here.get_help()


@cache
def topics() -> dict[str, Topic]:
    """Every topic by its name, in the order of the catalogue."""
    catalogue = resources.files(__package__).joinpath("topics.md").read_text("utf-8")
    parts = _HEADING.split(catalogue)[1:]
    return {
        name: Topic(name, title, _filled(text.strip("\n")))
        for name, title, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }


def _filled(text: str) -> str:
    return re.sub(r"^\{([a-z-]+)\}$", lambda found: _table(_TABLES[found[1]]()), text, flags=re.MULTILINE)


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    """Rows in columns, each as wide as its widest cell, set in as the catalogue's examples are."""
    cells = list(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    padded = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(f"    {line}".rstrip() for line in padded)


def _formats() -> Iterable[tuple[str, ...]]:
    from ..importers import FORMATS

    return ((each.NAME, each.TEXT) for each in FORMATS)


_TABLES: dict[str, Callable[[], Iterable[tuple[str, ...]]]] = {
    "actions": lambda: ((each.name, each.text) for each in Action),
    "categories": lambda: (
        (each.name, each.unit, each.text + (" (sensitive)" if each.sensitive else "")) for each in CATEGORIES
    ),
    "formats": _formats,
    "loinc": lambda: (
        (name, ", ".join(code for code, each in MEASURES.items() if each.category == name))
        for name in dict.fromkeys(each.category for each in MEASURES.values())
    ),
    "kinds": lambda: ((each.name, each.text) for each in Kind),
    "purposes": lambda: ((each.name, each.text) for each in Purpose),
    "research": lambda: (
        (each.code, each.short + ("=…" if each.takes else ""), each.text, "kept" if each.kept else "") for each in DUO
    ),
    "reasons": lambda: ((each.name, each.text) for each in Reason),
    "settings": lambda: ((each.name, each.text) for each in ENTRIES.values()),
    "units": lambda: (
        (each.code, each.text, f"converts into {each.base}" if each.base != each.code else "") for each in UNITS
    ),
}

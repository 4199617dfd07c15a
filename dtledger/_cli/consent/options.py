"""The options that say what a consent is of: the same words for who grants, who asks and who answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ...policy import SLOTS
from ..words import ACTIONS, CATEGORIES_OR_ALL, PURPOSES, RESEARCH, flat

Command = Callable[..., Any]
_Option = Callable[[Command], Command]


def _flat(_: click.Context, __: click.Parameter, value: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    return flat(value)


def _words(required: bool, default_action: bool) -> list[_Option]:
    return [
        click.option(
            "--category",
            "categories",
            multiple=True,
            required=required,
            type=CATEGORIES_OR_ALL,
            callback=_flat,
            metavar="NAME,…",
            help="What; may be repeated. `all` leaves out what is sensitive, unless that is named too.",
        ),
        click.option(
            "--purpose",
            "purposes",
            multiple=True,
            type=PURPOSES,
            callback=_flat,
            metavar="CODE,…",
            help="What for; may be repeated.",
        ),
        click.option(
            "--action",
            "actions",
            multiple=True,
            default=(("READ",),) if default_action else (),
            show_default="READ" if default_action else False,
            type=ACTIONS,
            callback=_flat,
            metavar="READ|WRITE|TRAIN",
            help="May be repeated. WRITE alone has no purpose.",
        ),
    ]


_DATA: list[_Option] = [
    click.option("--data-from", metavar="TIME", help="Which data: from when. By default from now, not the past."),
    click.option("--data-until", metavar="TIME", help="Which data: up to when. By default until the grant ends."),
    click.option("--history", metavar="LENGTH|all", help="Open the past too: 90d, or all of it."),
]

_TIME: list[_Option] = [
    click.option("--for", "length", metavar="LENGTH", help="How long it holds: 24h, 30d, 8w."),
    click.option("--until", metavar="TIME", help="Instead: until when; a day counts whole."),
    click.option("--from", "start", metavar="TIME", help="From when it holds. By default from now."),
]

_SLOT: list[_Option] = [
    click.option("--slot", type=click.IntRange(0, SLOTS - 1), help="Which slot; what stands there is replaced.")
]


def _all(options: list[_Option]) -> _Option:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_RESEARCH: list[_Option] = [
    click.option(
        "--research",
        multiple=True,
        type=RESEARCH,
        metavar="CODE[=VALUE]",
        help="To train: a term of the Data Use Ontology, such as NPUNCU or DS=MONDO:0005148; may be repeated.",
    )
]

granting = _all([*_words(required=True, default_action=True), *_TIME, *_DATA, *_SLOT, *_RESEARCH])
"""What is granted."""

asking = _all([*_words(required=True, default_action=True), *_DATA])
"""What is asked for: how long is said by `--for` alone."""

narrowing = _all([*_words(required=False, default_action=False), *_TIME, *_DATA, *_SLOT, *_RESEARCH])
"""What of it is granted: whatever is not said stays as it was asked for."""

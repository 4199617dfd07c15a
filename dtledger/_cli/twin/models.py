"""`twin models`: which rounds of which models were trained on a twin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...errors import CannotCheckError, InputError
from ..app import App, rfc3339
from ..command import verb
from ..model.plain import updates_words
from ..words import listed, table

if TYPE_CHECKING:
    from ...client import Use


@verb("models", epilog="Example: dtledger twin models 7")
@click.argument("twin", type=click.IntRange(0), required=False)
def models(app: App, twin: int | None) -> None:
    """List each round of each model that was trained on your twin, and what was made of it.

    Every update names, for those who can derive it, each twin that it was trained on. Yours is looked for in all of
    them. What was trained on your data without saying so cannot be found by any ledger. If some cannot be looked into,
    the exit code is 6, after everything else was shown.
    """
    number = app.twin(twin)
    if app.client.context.view().owner(number) is None:
        raise InputError(f"There is no twin {number}.", hint="`dtledger twin list` shows those you have to do with.")
    uses = app.client.models.used(number)
    rows = [
        [
            each.model.name,
            each.update.round,
            app.people.name(each.update.site),
            app.time(each.update.at),
            f"0x{each.aggregate.aggregate.hex()[:16]}…" if each.aggregate else "not finalised",
        ]
        for each in uses.found
    ]
    for line in table(["model", "round", "site", "committed", "made into"], rows) if rows else []:
        app.show(line)
    if not rows:
        app.say(f"No update says that it was trained on twin {number}.")
    app.data("twin-models", twin=number, rounds=[_plain(app, each) for each in uses.found], unseen=len(uses.unseen))
    if uses.unseen:
        sites = listed(dict.fromkeys(app.people.name(each.site) for each in uses.unseen))
        raise CannotCheckError(
            f"{updates_words(len(uses.unseen))} of {sites} cannot be looked into: the twins are not said, or not in "
            "due form.",
            hint="They may have used your data: ask whoever coordinates the model.",
        )


def _plain(app: App, use: Use) -> dict[str, Any]:
    return {
        "model": use.model.model.number,
        "name": use.model.card.name if use.model.card else None,
        "round": use.update.round,
        "site": app.people.plain(use.update.site),
        "update": use.update.update,
        "at": rfc3339(use.update.at),
        "aggregate": use.aggregate.aggregate if use.aggregate else None,
    }

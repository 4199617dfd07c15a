"""`twin models`: which rounds of which models were trained on a twin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..app import App, rfc3339
from ..command import verb
from ..words import table

if TYPE_CHECKING:
    from ...client import Use


@verb("models", epilog="Example: dtledger twin models --twin 7")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Which twin, if you have several.")
def models(app: App, twin: int | None) -> None:
    """List each round of each model that was trained on your twin, and what was made of it.

    Every update names, for those who can derive it, each twin that it was trained on. Yours is looked for in all of
    them. What was trained on your data without saying so cannot be found by any ledger.
    """
    number = app.twin(twin)
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
    if uses.unseen:
        app.say(f"{len(uses.unseen)} updates cannot be looked into: their leaves are missing, or malformed.")
    app.data("twin-models", twin=number, rounds=[_plain(app, each) for each in uses.found], unseen=len(uses.unseen))


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

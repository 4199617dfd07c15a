"""`twin models`: which rounds of which models were trained on a twin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...errors import CannotCheckError, InputError
from ..app import App, rfc3339
from ..command import verb
from ..model.affected import plain_affected
from ..model.plain import updates_words
from ..words import listed, table

if TYPE_CHECKING:
    from ...client import Use, Uses


@verb("models", epilog="Example: dtledger twin models 7")
@click.argument("twin", type=click.IntRange(0), required=False)
def models(app: App, twin: int | None) -> None:
    """List each round of each model that was trained on your twin, what was made of it, and how your consent stands.

    A consent that you take back counts for no round that is opened afterwards. What was made under it, and what builds
    on that, is affected, until the model's coordinator records that it was retrained without you, or stays in use and
    why: `dtledger help models`.

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
            _standing(uses, each),
        ]
        for each in uses.found
    ]
    for line in table(["model", "round", "site", "committed", "made into", "consent"], rows) if rows else []:
        app.show(line)
    for named, affected in uses.affected:
        if (named.model.number, affected.round) not in {(each.update.model, each.update.round) for each in uses.found}:
            app.show(f"{named.name} round {affected.round} is built on these: {affected.standing.value}")
    if not rows:
        app.say(f"No update says that it was trained on twin {number}.")
    app.data(
        "twin-models",
        twin=number,
        rounds=[plain_use(app, uses, each) for each in uses.found],
        affected=[
            {"model": named.model.number, "name": named.name, **plain_affected(app, each)}
            for named, each in uses.affected
        ],
        unseen=len(uses.unseen),
    )
    if uses.unseen:
        sites = listed(dict.fromkeys(app.people.name(each.site) for each in uses.unseen))
        raise CannotCheckError(
            f"{updates_words(len(uses.unseen))} of {sites} cannot be looked into: the twins are not said, or not in "
            "due form.",
            hint="They may have used your data: ask whoever coordinates the model.",
        )


def _standing(uses: Uses, use: Use) -> str:
    """How a round stands: the consent under it, and what became of a withdrawal."""
    if use.withdrawal is None:
        return "stands"
    affected = uses.standing(use)
    return f"withdrawn: {affected.standing.value}" if affected else "withdrawn"


def plain_use(app: App, uses: Uses, use: Use) -> dict[str, Any]:
    """One round for JSON."""
    affected = uses.standing(use)
    return {
        "model": use.model.model.number,
        "name": use.model.card.name if use.model.card else None,
        "round": use.update.round,
        "site": app.people.plain(use.update.site),
        "update": use.update.update,
        "at": rfc3339(use.update.at),
        "aggregate": use.aggregate.aggregate if use.aggregate else None,
        "withdrawn": use.withdrawal.reason.name if use.withdrawal else None,
        "standing": affected.standing.name if affected else None,
    }

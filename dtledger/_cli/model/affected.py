"""`model affected`: which aggregates withdrawn consents touch, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ...errors import CannotCheckError
from ..app import App
from ..command import verb
from ..words import listed, table
from .plain import find, updates_words

if TYPE_CHECKING:
    from ...models.remediation import Affected
    from ...models.withdrawal import Moved, Withdrawal


@verb(
    "affected",
    epilog="Examples: dtledger model affected cgm-forecast --key north · "
    "dtledger model affected cgm-forecast --opening bafy… --opening bafy…",
)
@click.argument("model")
@click.option(
    "--opening", "openings", multiple=True, metavar="WORD|FILE", help="What a site showed you; may be repeated."
)
def affected(app: App, model: str, openings: Sequence[str]) -> None:
    """List each aggregate that a withdrawn consent touches: of a round trained under it, and all that builds on that.

    A site sees its own patients, an auditor those that sites opened to it; a coordinator sees none, but as an auditor:
    the ledger does not know whose consent is under which round. If updates were not shown, the exit code is 6, after
    everything else was shown.
    """
    from ..audit.given import openings_of  # which imports from this folder

    named = find(app, model)
    seen = app.client.models.affected(named.model, openings_of(app, named, openings))
    rows = [
        [each.round, each.standing.value, listed(dict.fromkeys(map(_words, each.withdrawals))), each.reason]
        for each in seen.found
    ]
    for line in table(["round", "standing", "withdrawn", "reason"], rows) if rows else []:
        app.show(line)
    if not rows:
        app.say(f"No withdrawal that you can see touches {named.name}.")
    for moved in seen.moved:
        app.say(
            f"Round {moved.round}: twin {moved.trained.twin} moved to another key in block {moved.block}, which "
            "neither gave such a consent nor withdrew one."
        )
    app.data(
        "model-affected",
        model=named.model.number,
        name=named.name,
        rounds=[plain_affected(app, each) for each in seen.found],
        moved=[_plain_moved(app, each) for each in seen.moved],
        unseen=len(seen.unseen),
    )
    if seen.unseen:
        sites = listed(dict.fromkeys(app.people.name(each.site) for each in seen.unseen))
        was = "was" if len(seen.unseen) == 1 else "were"
        raise CannotCheckError(
            f"{updates_words(len(seen.unseen))} of {sites} {was} not shown to you.",
            hint="Each site sees its own by this command, or opens its rounds to an auditor, whom a coordinator asks.",
        )


def _plain_moved(app: App, moved: Moved) -> dict[str, Any]:
    site = app.people.plain(moved.site)
    return {"twin": moved.trained.twin, "site": site, "round": moved.round, "block": moved.block}


def _words(withdrawal: Withdrawal) -> str:
    return f"twin {withdrawal.trained.twin} ({withdrawal.reason.name})"


def plain_affected(app: App, affected: Affected) -> dict[str, Any]:
    told = affected.remediation
    return {
        "round": affected.round,
        "standing": affected.standing.name,
        "remediated": affected.standing.remediated,
        "withdrawals": [
            {
                "twin": each.trained.twin,
                "site": app.people.plain(each.site),
                "round": each.round,
                "reason": each.reason.name,
                "block": each.block,
            }
            for each in affected.withdrawals
        ],
        "remediation": {
            "first": told.first,
            "last": told.last,
            "retrained": told.retrained,
            "block": told.block,
            "reason": affected.reason or None,
        }
        if told
        else None,
    }

"""`audit model`: whether what is said of a model is so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ..app import App
from ..claims import show_claims
from ..command import verb
from ..model.plain import FILE, find, plain_model
from .given import files_in, openings_of, unused
from .handed import receipts_of


@verb(
    "model",
    epilog="Example: dtledger audit model cgm-forecast --opening bafy… --opening bafy… --files received",
)
@click.argument("model")
@click.option(
    "--opening", "openings", multiple=True, metavar="WORD|FILE", help="What a site showed you; may be repeated."
)
@click.option(
    "--files",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Updates and aggregates, as FOLDER/ROUND/SITE.EXT and FOLDER/ROUND/aggregate.EXT.",
)
@click.option(
    "--receipts",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="What custodians handed over of the sites' reads; may be repeated. They are compared with the openings.",
)
def model(app: App, model: str, openings: Sequence[str], files: Path | None, receipts: Sequence[Path]) -> None:
    """Check every claim about a model from the ledger, the store and what you were given, and believe nobody.

    A claim passes, fails or cannot be checked: without a site's opening (`model open`) nobody can say under whose
    consents it trained, and without a file not what was in it. SITE is a contact's name or an address. Exit code 4 if a
    claim fails, 6 if none fails and one cannot be checked.
    """
    from ...audit import ModelAudit, exit_code

    named, context = find(app, model), app.client.context
    shown = openings_of(app, named, openings)
    at_hand = files_in(app, files) if files else {}
    idle = unused(app, named, shown, at_hand)
    audit = ModelAudit(
        context.deployment,
        context.view(),
        context.store,
        named.model,
        shown,
        at_hand,
        app.people.name,
        receipts_of(receipts) if receipts else None,
    )
    with app.progress("checking") as progress:
        claims = []
        for claim in audit.claims():
            claims.append(claim)
            progress(len(claims), audit.count)
    told = show_claims(app, claims)
    for what in idle:
        app.warn(f"nothing was committed to that is this: {what}")
    app.data("audit-model", **plain_model(app, named), block=context.view().block, **told, unused=idle)
    click.get_current_context().exit(exit_code(claims))

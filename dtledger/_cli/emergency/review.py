"""`emergency review`: an auditor says what it found."""

from __future__ import annotations

import click

from ...errors import InputError
from ...vocabulary import Finding
from ..app import App
from ..command import verb
from ..words import Code
from .plain import FINDINGS, plain


@verb(
    "review",
    epilog="Example: dtledger emergency review 3 --finding JUSTIFIED --text 'hypoglycaemia, treated' --key auditor",
)
@click.argument("opening", type=click.IntRange(1))
@click.option(
    "--finding",
    required=True,
    type=Code([each.name for each in Finding]),
    help=f"What you found: {FINDINGS}.",
)
@click.option("--text", default="", metavar="TEXT", help="In words; sealed to the patient and to who opened it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; sign nothing.")
def review(app: App, opening: int, finding: str, text: str, yes: bool, dry_run: bool) -> None:
    """As an AUDITOR of another organisation than the opener's, say what you found of an opening. Once; late counts too.

    A review takes nothing back: it tells the patient and everybody else what an independent person found.
    """
    meant = Finding[finding.upper()]
    found = app.client.context.view().opening(opening)
    if found is None:
        raise InputError(f"There is no opening {opening}.", hint="See `dtledger emergency list --all`.")
    app.say(f"Opening {opening}, by {app.people.full(found.opener)}: you find it {meant.name}: {meant.text}.")
    sent = None
    if not dry_run:
        app.confirm("Say so?", yes=yes)
        sent = app.sent(app.client.emergencies.review(opening, meant, text))
    app.show(f"Opening {opening} {'would be' if dry_run else 'is'} reviewed.")
    told = plain(app, app.client.emergencies.told(found))
    app.data("emergency-reviewed", opening=told, finding=meant.name, sent=sent, dry_run=dry_run)

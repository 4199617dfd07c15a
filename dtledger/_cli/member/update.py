"""`member update`: carry a member's changed card to the ledger. Anyone may; only the member can have signed it."""

from __future__ import annotations

from pathlib import Path

import click

from ...errors import InputError
from ...types import ZERO_ADDRESS
from ..app import App
from ..command import Verb
from . import options
from .enrol import agreement_for, read_card, say_card


@click.command(
    "update", cls=Verb, epilog="Example: dtledger member update ann.card.json --agreement ann.agreement.json"
)
@click.argument("card", type=options.FILE)
@options.agreement
@options.yes
@options.dry_run
@click.pass_obj
def update(
    app: App, card: Path, agreement: Path | None, organisation_key: str | None, yes: bool, dry_run: bool
) -> None:
    """Replace an enrolled member's card by CARD, which it signed: another organisation, or another key to seal to.

    A new organisation must agree. To change the key that you seal to, `dtledger member rekey` is the safe way.
    """
    made = read_card(app, card)
    present = app.client.context.view().member(made.address)
    if present is None:
        raise InputError(f"{made.name} ({made.address}) is not enrolled.", hint="Use `dtledger member enrol`.")
    if made.version != present.version:
        raise InputError(
            f"The card is of version {made.version}, its member stands at {present.version}.",
            hint="Ask for a new one: dtledger member card NAME",
        )
    consent = agreement_for(app, made, agreement, organisation_key)
    say_card(app, made)
    left = present.organisation and present.organisation != made.organisation
    app.say(f"Replaces the card of {made.name}." + (" It leaves its present organisation." if left else ""))
    sent = None
    if not dry_run:
        app.confirm("Send it?", yes=yes)
        sent = app.sent(app.client.members.update(made, consent))
    app.show(f"The card of {made.name} {'would be' if dry_run else 'is'} replaced.")
    app.data(
        "member-updated",
        address=made.address,
        name=made.name,
        organisation=None if made.organisation == ZERO_ADDRESS else made.organisation,
        version=made.version + 1,
        sent=sent,
        dry_run=dry_run,
    )

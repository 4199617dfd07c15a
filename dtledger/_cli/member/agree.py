"""`member agree`: an organisation's signature that a card's member belongs to it."""

from __future__ import annotations

from pathlib import Path

import click

from ...errors import InputError
from ..app import App
from ..command import Verb
from . import options
from .enrol import read_card
from .files import write_public


@click.command("agree", cls=Verb, epilog="Example: dtledger member agree ann.card.json --key heart-clinic")
@click.argument("card", type=options.FILE)
@options.target("CARD with .agreement.json")
@options.yes
@options.dry_run
@click.pass_obj
def agree(app: App, card: Path, out: Path | None, replace: bool, yes: bool, dry_run: bool) -> None:
    """As an organisation, agree that the member of CARD belongs to it. The registrar needs the file at enrolment.

    A member may use every grant that its organisation was given; receipts name the person.
    """
    from ...contacts import Agreement

    meant = read_card(app, card)
    client = app.client
    if meant.organisation != client.address:
        raise InputError(
            f"The card of {meant.name} names another organisation than the selected key ({client.address}).",
            hint="Choose the organisation's key with --key.",
        )
    path = out or card.with_name(f"{card.name.removesuffix('.json').removesuffix('.card')}.agreement.json")
    app.say(f"Signs that {meant.name} ({meant.address}) belongs to {meant.organisation_name} and may use its grants.")
    if not dry_run:
        app.confirm("Sign it?", yes=yes)
        made = Agreement(client.address, meant.address, meant.version, client.members.agree(meant))
        write_public(path, made.serialise(), replace=replace)
    app.show(f"The agreement {'would be' if dry_run else 'is'} in {path}.")
    app.data(
        "agreement-made",
        organisation=client.address,
        member=meant.address,
        version=meant.version,
        path=path,
        dry_run=dry_run,
    )

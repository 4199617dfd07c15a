"""`member keyring`: let an organisation's members open what was granted to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...errors import InputError
from ...vocabulary.numbers import number_of
from .. import complete
from ..app import App
from ..command import Verb
from . import options
from .person import Person

if TYPE_CHECKING:
    from ...types import Address


@click.command("keyring", cls=Verb, epilog="Example: dtledger member keyring --key heart-clinic")
@click.option(
    "--without", metavar="WHO", multiple=True, shell_complete=complete.contacts, help="A member to leave out."
)
@options.yes
@options.dry_run
@click.pass_obj
def keyring(app: App, without: tuple[str, ...], yes: bool, dry_run: bool) -> None:
    """As an organisation, seal its key to each of its active members, so that they can use its grants.

    Publish it anew when a member joins. A leaver keeps what it had; the ledger no longer names it, so custodians
    refuse it. What a member can do it does in its own name: receipts name the person. The keyring of an emergency
    organisation (of kind EMERGENCY itself) holds its EMERGENCY members alone.
    """
    from ...client import publish_keyring

    client = app.client
    view = client.context.view()
    if view.member(client.address) is None:
        raise InputError(
            f"The selected key ({client.address}) is not enrolled.", hint="Choose the organisation's with --key."
        )
    if view.keyring(client.address) is None and not any(
        member.organisation == client.address for each in view.members() if (member := view.member(each))
    ):
        raise InputError(
            f"Nobody belongs to the selected key ({client.address}).", hint="Choose the organisation's with --key."
        )
    left_out = {app.resolve(each).address for each in without}
    people = [Person(app, view, each) for each in _active_members(app) if each not in left_out]
    count = number_of(len(people), "member")
    app.say(f"Seals the organisation's key to {count}, who can then use every grant given to it:")
    for each in people:
        app.say(f"  {each.name}")
    sent = None
    if not dry_run:
        app.confirm("Publish it?", yes=yes)
        sent = app.sent(publish_keyring(client.context, [each.address for each in people]))
    app.show(f"The keyring {'would hold' if dry_run else 'holds'} {count}.")
    app.data(
        "member-keyring",
        organisation=client.address,
        members=[each.address for each in people],
        sent=sent,
        dry_run=dry_run,
    )


def _active_members(app: App) -> list[Address]:
    from ...client.keyrings import may_hold

    view = app.client.context.view()
    found = {each: view.member(each) for each in view.members()}
    return [
        each
        for each, member in found.items()
        if member
        and member.organisation == app.client.address
        and not member.suspended
        and may_hold(view, app.client.address, member)
    ]

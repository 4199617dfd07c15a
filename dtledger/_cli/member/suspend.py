"""`member suspend`: take everything away from a member, at once."""

from __future__ import annotations

import click

from ...vocabulary.numbers import number_of
from .. import complete
from ..app import App
from ..command import Verb
from . import options
from .authority import require_role
from .person import Person


@click.command("suspend", cls=Verb, epilog="Example: dtledger member suspend cardiology --key operator")
@click.argument("who", shell_complete=complete.contacts)
@options.yes
@options.dry_run
@click.pass_obj
def suspend(app: App, who: str, yes: bool, dry_run: bool) -> None:
    """Suspend WHO at once: no grant permits it anything, nor the members of it if it is an organisation.

    To reinstate it waits the governance delay.
    """
    from ...ledger import calls
    from ...ledger.rejections import AlreadySuspendedError, NotEnrolledError

    view = app.client.context.view()
    person = Person(app, view, app.resolve(who).address)
    if person.member is None:
        raise NotEnrolledError({"member": person.address})
    if person.member.suspended:
        raise AlreadySuspendedError({"member": person.address})
    require_role(app, calls.suspend(person.address))
    members = [each for each in view.members() if (found := view.member(each)) and found.organisation == person.address]
    also = f", and with it its {number_of(len(members), 'member')}" if members else ""
    app.say(f"Suspends {person.name}{also}: nothing is permitted until it is reinstated, which waits a delay.")
    sent = None
    if not dry_run:
        app.confirm("Suspend it?", yes=yes)
        sent = app.sent(app.client.members.suspend(person.address))
    app.show(f"{person.name} {'would be' if dry_run else 'is'} suspended.")
    app.data("member-suspended", address=person.address, members=members, sent=sent, dry_run=dry_run)

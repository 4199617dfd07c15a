"""`member reinstate`: announced first, done when the governance delay is over."""

from __future__ import annotations

import click

from .. import complete
from ..app import App
from ..command import Verb
from . import options
from .authority import make_or_announce
from .person import Person


@click.command("reinstate", cls=Verb, epilog="Example: dtledger member reinstate cardiology --key operator")
@click.argument("who", shell_complete=complete.contacts)
@click.option("--cancel", is_flag=True, help="Take back what this key announced.")
@options.yes
@options.dry_run
@click.pass_obj
def reinstate(app: App, who: str, cancel: bool, yes: bool, dry_run: bool) -> None:
    """As a steward, end WHO's suspension: announce it by the first call; do it by a second, when the delay is over.

    Called in between, it says when that will be.
    """
    from ...ledger import calls
    from ...ledger.rejections import NotSuspendedError

    person = Person(app, app.client.context.view(), app.resolve(who).address)
    if not cancel and (person.member is None or not person.member.suspended):
        raise NotSuspendedError({"member": person.address})
    call = calls.reinstate(person.address)
    what = f"the reinstatement of {person.name}"
    outcome = make_or_announce(app, call, what, cancel=cancel, yes=yes, dry_run=dry_run)
    app.data("member-reinstated", address=person.address, **outcome, dry_run=dry_run)

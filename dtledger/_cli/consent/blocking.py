"""`consent block` and `consent unblock`: a refusal that beats every grant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from .. import complete
from ..app import App
from ..command import verb

if TYPE_CHECKING:
    from ...types import Address


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--dry-run", is_flag=True, help="Say what it would do; sign nothing."),
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Which twin, if you have several."),
        click.argument("who", shell_complete=complete.contacts),
    ):
        command = option(command)
    return command


@verb("block", epilog="Example: dtledger consent block cardiology --twin 7")
@_options
def block(app: App, who: str, twin: int | None, yes: bool, dry_run: bool) -> None:
    """Refuse somebody everything on a twin, whatever they were granted and whoever's member they are.

    It beats every grant, also later ones, and stays when the twin moves to another key, until `unblock`.
    """
    number, grantee = _target(app, who, twin)
    blocked = app.client.context.view().blocked(number, grantee)
    text = f"{app.people.described(grantee)} is refused everything on twin {number}, whatever it was granted"
    _change(app, number, grantee, text, standing=blocked, wanted=True, yes=yes, dry_run=dry_run)


@verb("unblock", epilog="Example: dtledger consent unblock cardiology --twin 7")
@_options
def unblock(app: App, who: str, twin: int | None, yes: bool, dry_run: bool) -> None:
    """Lift a block: what was granted and not revoked permits again."""
    number, grantee = _target(app, who, twin)
    blocked = app.client.context.view().blocked(number, grantee)
    consents, view = app.client.consents, app.client.context.view()
    held = [each for each in view.slots_of(app.client.address, number, grantee) if each.grant.given]
    revived = [app.people.grant(each.slot) for each in held if consents.state(each).value == "blocked"]
    again = f"; in force again: {', '.join(revived)}" if revived else ", and it holds no grant"
    text = f"{app.people.described(grantee)} is no longer refused on twin {number}{again}"
    _change(app, number, grantee, text, standing=blocked, wanted=False, yes=yes, dry_run=dry_run)


def _target(app: App, who: str, twin: int | None) -> tuple[int, Address]:
    number = app.twin(twin)
    app.client.context.require_owner(number)
    grantee = app.resolve(who).address
    if grantee == app.client.address:
        raise InputError("An owner cannot block itself.")
    return number, grantee


def _change(
    app: App, twin: int, grantee: Address, text: str, *, standing: bool, wanted: bool, yes: bool, dry_run: bool
) -> None:
    told = {"twin": twin, "grantee": app.people.plain(grantee), "blocked": wanted}
    if standing is wanted:
        app.show(f"{app.people.described(grantee)} is {'' if wanted else 'not '}blocked on twin {twin}: nothing to do.")
        app.data("block", **told, changed=False, sent=None, dry_run=dry_run)
        return
    app.say(f"{text}.")
    if dry_run:
        app.say("Nothing was signed.")
        app.data("block", **told, changed=False, sent=None, dry_run=True)
        return
    app.confirm("Block it?" if wanted else "Unblock it?", yes=yes)
    consents = app.client.consents
    receipt = consents.block(twin, grantee) if wanted else consents.unblock(twin, grantee)
    app.show(f"{'Blocked' if wanted else 'Unblocked'}: {app.people.described(grantee)} on twin {twin}")
    app.data("block", **told, changed=True, sent=app.sent(receipt), dry_run=False)

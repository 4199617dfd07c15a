"""`consent list`: what was given and what was received."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..app import App
from ..command import verb
from ..words import shortened, table
from .plain import plain_record

if TYPE_CHECKING:
    from ...policy import Grant


@verb("list", epilog="Examples: dtledger consent list · dtledger consent list --twin 7 --all --json")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Only grants on this twin.")
@click.option("--all", "every", is_flag=True, help="Those that were revoked too.")
def list_(app: App, twin: int | None, every: bool) -> None:
    """List the grants on your twins, and those that you or your organisation hold.

    A grant is live, sleeping (it has not begun), blocked, ended, or revoked. Categories that no key at hand can name
    are shown as bits.
    """
    from ...client import GrantState

    consents = app.client.consents
    view = app.client.context.view()
    twins = view.twins_of(app.client.address)
    given = [each for number in twins for each in consents.records(number)]
    received = [each for each in consents.received() if each not in given]
    shown = [
        each
        for each in (*given, *received)
        if (twin is None or each.slot.twin == twin) and (every or consents.state(each, view) is not GrantState.REVOKED)
    ]
    told = [plain_record(app, each, view) for each in shown]
    rows = [_row(app, each.grant, said) for each, said in zip(shown, told, strict=True)]
    headings = ["grant", "state", "may", "categories", "purposes", "ends", "data"]
    for line in table(headings, rows) if rows else []:
        app.show(line)
    if not rows:
        app.say("There is no grant." + ("" if every else " (--all shows those that were revoked.)"))
    for said in told:
        if said["needs_reseal"] and said["state"] == GrantState.LIVE.value:
            app.say(f"The grantee of {said['grant']} has a new key since: dtledger consent reseal {said['grant']}")
    app.data("grants", grants=told)


def _row(app: App, grant: Grant, told: dict[str, Any]) -> list[str]:
    if not grant.given:
        return [told["grant"], told["state"], "-", "-", "-", "-", "-"]
    follows = grant.data.end == grant.expires_at // 60
    data = f"{app.time(grant.data.start * 60)} " + ("on" if follows else f"to {app.time(grant.data.end * 60)}")
    return [
        told["grant"],
        told["state"],
        ",".join(told["actions"]),
        ",".join(shortened(told["categories"])),
        ",".join(told["purposes"]) or "-",
        app.time(grant.expires_at),
        data,
    ]

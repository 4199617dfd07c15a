"""`consent list`: what was given and what was received; what is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .. import times
from ..app import App
from ..command import verb
from ..words import shortened, table
from .plain import plain_record
from .requests import own_twins, show_requests

if TYPE_CHECKING:
    from ...policy import Grant


@verb(
    "list",
    epilog="Examples: dtledger consent list · dtledger consent list --twin 7 --all --json · dtledger consent list "
    "--expiring 14d · dtledger consent list --pending",
)
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Only what is on this twin.")
@click.option("--all", "every", is_flag=True, help="Those that were revoked too.")
@click.option("--expiring", metavar="LENGTH", help="Only those that hold and end within this time: 14d.")
@click.option("--pending", is_flag=True, help="Instead: requests on your twins that wait for your answer.")
@click.option("--asked", is_flag=True, help="Instead: what you asked others for, and what they answered.")
def list_(app: App, twin: int | None, every: bool, expiring: str | None, pending: bool, asked: bool) -> None:
    """List the grants on your twins, and those that you or your organisation hold.

    A grant is live, sleeping (it has not begun), blocked, ended, or revoked. Categories that no key at hand can name
    are shown as bits. Requests are shown of members who are enrolled and neither suspended nor blocked, the newest
    three of each; they are kept for 30 days.
    """
    if sum((every, bool(expiring), pending, asked)) > 1:
        raise click.UsageError("Choose one of --all, --expiring, --pending and --asked.")
    if pending or asked:
        _requests(app, twin, asked=asked)
        return
    _grants(app, twin, every=every, before=times.ahead(expiring, app.client.context.clock()) if expiring else None)


def _requests(app: App, twin: int | None, *, asked: bool) -> None:
    if asked:
        show_requests(app, None, twin)
        return
    show_requests(app, own_twins(app, twin))


def _grants(app: App, twin: int | None, *, every: bool, before: int | None) -> None:
    """`before`: only those that hold and end by then."""
    from ...client import GrantState

    consents = app.client.consents
    view = app.client.context.view()
    twins = view.twins_of(app.client.address)
    given = [each for number in twins for each in consents.records(number)]
    received = [each for each in consents.received() if each not in given]
    over = (GrantState.REVOKED,) if before is None else (GrantState.REVOKED, GrantState.ENDED)
    shown = [
        each
        for each in (*given, *received)
        if (twin is None or each.slot.twin == twin)
        and (every or consents.state(each, view) not in over)
        and (before is None or each.grant.expires_at <= before)
    ]
    told = [plain_record(app, each, view) for each in shown]
    rows = [_row(app, each.grant, said) for each, said in zip(shown, told, strict=True)]
    headings = ["grant", "state", "may", "categories", "purposes", "ends", "data"]
    for line in table(headings, rows) if rows else []:
        app.show(line)
    if not rows:
        hint = "" if every or before else " (--all shows those that were revoked.)"
        app.say("No grant ends so soon." if before else f"There is no grant.{hint}")
    for said in told:
        if said["needs_reseal"] and said["state"] == GrantState.LIVE.value:
            app.say(f"The grantee of {said['grant']} has a new key since: dtledger consent reseal {said['grant']}")
    if before is not None:
        for each in shown:
            if each in given:
                app.say(f"To renew it: dtledger consent renew {app.people.grant(each.slot)} --for 30d")
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

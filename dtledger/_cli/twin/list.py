"""`twin list`: whose twins one has to do with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..app import App
from ..command import verb
from ..words import table

if TYPE_CHECKING:
    from ...ledger import GrantRecord


@verb("list", epilog="Example: dtledger twin list --json")
def list_(app: App) -> None:
    """List your twins, and those on which you or your organisation have a grant in force."""
    client, people = app.client, app.people
    view, consents = client.context.view(), client.consents
    rows: list[dict[str, Any]] = []
    for twin in view.twins_of(client.address):
        live = [each for each in consents.records(twin) if consents.is_live(each, view)]
        rows.append(_row(app, twin, "owner", live))
    received: dict[int, list[GrantRecord]] = {}
    for record in consents.received():
        if consents.is_live(record, view):
            received.setdefault(record.slot.twin, []).append(record)
    rows += [_row(app, twin, "grantee", live) for twin, live in sorted(received.items())]
    lines = table(
        ["twin", "you are", "owner", "state", "grants in force"],
        [[each["twin"], each["role"], people.name(each["owner"]), each["state"], _grants(each)] for each in rows],
    )
    for line in lines if rows else []:
        app.show(line)
    if not rows:
        app.say("You have no twin, and no grant on one. A patient makes one: dtledger twin mint --key NAME")
    app.data("twins", twins=[{**each, "owner": people.plain(each["owner"])} for each in rows])


def _row(app: App, twin: int, role: str, live: list[GrantRecord]) -> dict[str, Any]:
    view = app.client.context.view()
    state = (
        "gone"
        if view.successor(twin)
        else "retired"
        if view.retired(twin)
        else "ready"
        if view.card(twin)
        else "no card"
    )
    if view.state(twin).is_frozen(app.client.context.clock()):
        state = "frozen"
    grants = [app.people.grant(each.slot) for each in live]
    return {"twin": twin, "role": role, "owner": view.owner(twin), "state": state, "grants": grants}


def _grants(row: dict[str, Any]) -> str:
    return ", ".join(row["grants"]) if row["role"] == "grantee" else str(len(row["grants"]))

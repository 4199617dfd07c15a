"""`twin access`: who looked, by the receipts that the custodians keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...errors import IntegrityError
from .. import times
from ..app import App, rfc3339
from ..command import verb
from ..words import shortened, table

if TYPE_CHECKING:
    from ...client import Access, Look
    from ...ledger import Slot


@verb("access", epilog="Example: dtledger twin access 7 --since 30d")
@click.argument("twin", type=click.IntRange(0), required=False)
@click.option("--since", metavar="TIME", help="Only what was asked since: 24h, 30d, 2026-11-02.")
def access(app: App, twin: int | None, since: str | None) -> None:
    """Show who asked for the twin's data, what for, and whether it was opened; the newest first.

    Every custodian that ever held shares of the twin is asked for its receipts, which it writes before any key
    leaves. A request that one honest custodian took part in stands here. Each list is held against what its custodian
    anchored on the ledger; what came after its newest anchor is said to be not yet anchored. A list with a hole in it,
    or without receipts that are anchored, ends with exit code 4, after everything else was shown.
    """
    number = app.twin(twin)
    client = app.client
    found = client.twins.who_looked(number)
    start = times.beginning(since, client.context.clock(), app.zone) if since else 0
    looks = [each for each in found.looks if each.at >= start]
    rows = [_row(app, number, each, len(found.lists)) for each in looks]
    for line in table(["time", "who", "under", "purpose", "asked", "opened", "refused", "custodians"], rows):
        if rows:
            app.show(line)
    if not rows:
        app.say("Nobody asked" + (" since then." if since else " yet."))
    _say_lists(app, found)
    app.data(
        "access",
        twin=number,
        looks=[plain_look(app, number, each) for each in looks],
        custodians=plain_lists(app, found),
    )
    found.require_whole()


def _row(app: App, twin: int, look: Look, custodians: int) -> list[Any]:
    refused = ", ".join(f"{count} {reason.name}" for reason, count in look.refused.items())
    return [
        app.time(look.at),
        app.people.name(look.requester),
        _under(app, twin, look),
        look.purpose.name if look.action.name == "READ" else f"{look.purpose.name} ({look.action.name})",
        look.count,
        look.opened,
        refused or "-",
        f"{len(look.custodians)} of {custodians}",
    ]


def _under(app: App, twin: int, look: Look) -> str:
    """The grant that was named, with what it covered then; the owner's own right has none."""
    if look.grantee == _owner_then(app, twin, look):
        return "(owner)"
    slot = _slot(app, twin, look)
    names = _categories(app, slot, look)
    return app.people.grant(slot) + (f" ({', '.join(shortened(names))})" if names else "")


def _slot(app: App, twin: int, look: Look) -> Slot:
    from ...ledger import Slot

    return Slot(_owner_then(app, twin, look), twin, look.grantee, look.slot)


def _owner_then(app: App, twin: int, look: Look) -> Any:
    return app.client.context.view().earlier(look.receipts[0].block).owner(twin)


def _categories(app: App, slot: Slot, look: Look) -> tuple[str, ...]:
    record = app.client.context.view().earlier(look.receipts[0].block).record(slot)
    return app.client.consents.names(record) if record and slot.owner == app.client.address else ()


def _say_lists(app: App, found: Access) -> None:
    for custodian, receipts in found.lists.items():
        waiting = len(receipts) - found.anchored[custodian]
        ends = f", {waiting} not yet anchored" if waiting else ""
        app.say(f"{app.people.name(custodian)}: {len(receipts)} receipts, none missing between{ends}")
    for custodian, fault in found.faults.items():
        what = "its list is broken" if isinstance(fault, IntegrityError) else "did not answer"
        app.warn(f"{app.people.name(custodian)}: {what}: {fault}")


def plain_look(app: App, twin: int, look: Look) -> dict[str, Any]:
    """One look for JSON."""
    own = look.grantee == _owner_then(app, twin, look)
    slot = _slot(app, twin, look)
    return {
        "at": rfc3339(look.at),
        "requester": app.people.plain(look.requester),
        "grant": None if own else app.people.grant(slot),
        "categories": [] if own else list(_categories(app, slot, look)),
        "action": look.action.name,
        "purpose": look.purpose.name,
        "asked": look.count,
        "opened": look.opened,
        "refused": {reason.name: count for reason, count in look.refused.items()},
        "request": look.request,
        "custodians": list(look.custodians),
    }


def plain_lists(app: App, found: Access) -> list[dict[str, Any]]:
    """How each custodian's list stands, for JSON."""
    answered = [
        {
            "custodian": app.people.plain(custodian),
            "receipts": len(receipts),
            "anchored": found.anchored[custodian],
            "fault": None,
        }
        for custodian, receipts in found.lists.items()
    ]
    failed = [
        {"custodian": app.people.plain(custodian), "receipts": None, "anchored": None, "fault": str(fault)}
        for custodian, fault in found.faults.items()
    ]
    return answered + failed

"""What became of grants that ended: who refuses since, what had been fetched, how the same is given again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ...errors import DtledgerError, IntegrityError
from ...vocabulary.numbers import number_of
from ..app import App, rfc3339
from .terms import command_for

if TYPE_CHECKING:
    from ...client import Fetched, RevocationReceipt, Terms
    from ...ledger import Receipt, Slot


def accounts(app: App, twin: int, slots: Sequence[Slot], receipt: Receipt) -> Mapping[Slot, RevocationReceipt]:
    """The revocation receipts of this owner's grants; none if they are not to be had. What was revoked stays revoked
    either way."""
    try:
        told = app.client.revoking.account(twin, slots, receipt)
    except DtledgerError as error:
        app.say(f"Who refuses since, and what had been fetched, cannot be told: {error}")
        return {}
    for account in list(told.values())[:1]:
        for custodian, fault in account.access.faults.items():
            if isinstance(fault, IntegrityError):
                app.say(f"The list of {app.people.name(custodian)} is broken: {fault}")
    return told


def account(app: App, slot: Slot, terms: Terms | None, told: RevocationReceipt | None) -> dict[str, Any]:
    """Say what became of one grant; the same for JSON."""
    if told:
        _say_force(app, told)
        app.say(_fetched_words(app, told.fetched))
    again = command_for(app, slot, terms) if terms else None
    if again:
        app.say(f"The same again: {again}")
    return {
        "receipt": _plain(app, told) if told else None,
        "fetched": _plain_fetched(app, told.fetched) if told else None,
        "again": again,
    }


def _say_force(app: App, told: RevocationReceipt) -> None:
    count = f"{len(told.refusals)} of {told.asked} custodians signed that they refuse since"
    if told.in_force:
        app.say(f"In force: {count}; {told.threshold} are needed to open anything.")
    else:
        warning = click.style("NOT YET IN FORCE:", fg="yellow")
        app.say(f"{warning} only {count}, and {told.threshold} others can still open what was not fetched.")
    for custodian, fault in told.faults.items():
        app.say(f"  {app.people.name(custodian)}: {fault.message}")


def _plain(app: App, told: RevocationReceipt) -> dict[str, Any]:
    replies = [
        {
            "custodian": app.people.plain(custodian),
            "reason": reply.reason.name,
            "block": reply.block,
            "at": rfc3339(reply.at),
            "reply": reply.encode(),
        }
        for custodian, reply in told.refusals.items()
    ]
    faults = [
        {"custodian": app.people.plain(custodian), "error": type(fault).__name__, "message": fault.message}
        for custodian, fault in told.faults.items()
    ]
    return {"in_force": told.in_force, "threshold": told.threshold, "refusals": replies, "faults": faults}


def _fetched_words(app: App, fetched: Fetched) -> str:
    doubt = f" ({fetched.silent} custodians gave no account)" if fetched.silent else ""
    if not fetched.looks:
        return f"Nothing had been fetched under it{doubt}."
    count = number_of(len(fetched.looks), "request")
    often = ", each counted as often as it was opened" if len(fetched.looks) > 1 else ""
    last = fetched.looks[0]
    return (
        f"Already fetched under it, and not to be clawed back: {fetched.snapshots:,} snapshots in {count}{often}; "
        f"the last by {app.people.name(last.requester)} at {app.time(last.at)}{doubt}."
    )


def _plain_fetched(app: App, fetched: Fetched) -> dict[str, Any]:
    last = fetched.looks[0] if fetched.looks else None
    return {
        "requests": len(fetched.looks),
        "snapshots": fetched.snapshots,
        "last_at": rfc3339(last.at) if last else None,
        "last_by": app.people.plain(last.requester) if last else None,
        "custodians_silent": fetched.silent,
    }

"""Who may: whether the selected key has the role for a call, and the calls that wait the governance delay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..app import App, rfc3339

if TYPE_CHECKING:
    from ...ledger import Call

WEEK = 7 * 86_400
"""How long after its time an announced call can still be made (AccessManager.expiration)."""


def require_role(app: App, call: Call) -> int:
    """The seconds that the selected key must announce the call before making it.

    Raises:
        UnauthorizedError: it has no role for it.
    """
    from ..._backend.inquiries import delay_of
    from ...ledger.rejections import UnauthorizedError

    delay = delay_of(app.ledger, app.client.address, call)
    if delay is None:
        raise UnauthorizedError({"caller": app.client.address})
    return delay


def make_or_announce(app: App, call: Call, what: str, *, cancel: bool, yes: bool, dry_run: bool) -> dict[str, Any]:
    """Make a call that waits a delay: the first time announce it, when its time has come do it.

    `what` ends the sentence "This announces …". Returns, for JSON: `state` (announced, waiting, done or cancelled),
    `due_at` and `sent`.
    """
    from ..._backend.inquiries import due_at
    from ...ledger import calls

    delay, me = require_role(app, call), app.client.address
    due = due_at(app.ledger, me, call)
    now = max(app.client.context.clock(), app.ledger.head().at)
    if cancel:
        if due is None:
            app.show("Nothing of the kind is announced by this key.")
            return {"state": "not-announced", "due_at": None, "sent": None}
        sent = _send(app, calls.cancel(me, call), f"This takes back what was announced: {what}.", yes, dry_run)
        app.show(f"{'It would be' if dry_run else 'It is'} taken back.")
        return {"state": "cancelled", "due_at": None, "sent": sent}
    if not delay or (due is not None and due <= now):
        sent = _send(app, call, f"This does it now: {what}.", yes, dry_run)
        app.show(f"{'It would be' if dry_run else 'It is'} done: {what}.")
        return {"state": "done", "due_at": None, "sent": sent}
    if due is None:
        days = f"{delay / 86_400:g} days" if delay >= 86_400 else f"{delay} s"
        text = f"This announces, for everybody to see: {what}. It can be done in {days}."
        sent = _send(app, calls.schedule(call), text, yes, dry_run)
        due = None if dry_run else due_at(app.ledger, me, call)
        state = "announced"
    else:
        sent, state = None, "waiting"
    if due is not None:
        app.show(
            f"{'Announced' if state == 'announced' else 'It is announced'}: {what}. It becomes due at {app.time(due)}; "
            f"run the same command then, before {app.time(due + WEEK)}."
        )
    else:
        app.show(f"It would be announced: {what}.")
    return {"state": state, "due_at": rfc3339(due) if due is not None else None, "sent": sent}


def _send(app: App, call: Call, text: str, yes: bool, dry_run: bool) -> dict[str, Any] | None:
    app.say(text)
    if dry_run:
        return None
    app.confirm("Send it?", yes=yes)
    return app.sent(app.client.context.ledger.send(call, app.client.context.key))

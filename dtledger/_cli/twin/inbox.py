"""`twin inbox`: what an owner should know, made to be run by cron."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ...errors import DtledgerError, UnreachableError
from ..app import App, plain, rfc3339
from ..command import verb
from ..words import URL

if TYPE_CHECKING:
    from ...client import Item

_TIMEOUT_SECONDS = 15


@verb(
    "inbox",
    epilog="Examples: dtledger twin inbox 7 · dtledger twin inbox 7 --quiet --webhook https://hook.example/dtledger",
)
@click.argument("twin", type=click.IntRange(0), required=False)
@click.option("--quiet", is_flag=True, help="Say nothing if there is nothing: cron mails what is said.")
@click.option("--webhook", type=URL, metavar="URL", help="Post it there too, as JSON, if there is anything.")
def inbox(app: App, twin: int | None, quiet: bool, webhook: str | None) -> None:
    """Show what an owner should know: requests for consent, emergencies opened and their overdue reviews, grants that
    end soon, what guardians began, custodians at fault or gone, and whether a backup is due.

    Nothing is kept: an item is there until its cause is gone. To a webhook goes the same as --json gives, without names
    from your contacts; its URL may say who you are, so choose whose it is.
    """
    number = app.twin(twin)
    items = app.client.inbox.look(number)
    for each in items:
        app.show(_line(app, each))
        hint = _hint(each)
        if hint:
            app.show(f"  {hint}")
    if not items and not quiet:
        app.say("There is nothing to know.")
    told = {"twin": number, "items": [_plain(app, each) for each in items]}
    app.data("inbox", **told)
    if webhook and items:
        _post(webhook, {"schema": "dtledger/inbox/1", "twin": number, "items": [_bare(each) for each in items]})


def _line(app: App, item: Item) -> str:
    kind = item.kind.value if not item.kind.urgent else click.style(item.kind.value, fg="red", bold=True)
    who = f", {app.people.name(item.party)}" if item.party else ""
    when = f", {app.time(item.at)}" if item.at else ""
    why = f": {item.about}" if isinstance(item.about, DtledgerError) else ""
    return f"{kind}{who}{when}{why}"


def _hint(item: Item) -> str:
    """The command that looks at it or answers it."""
    twin = item.twin
    return {
        "MOVE": f"dtledger twin recover veto {twin} stops it, if it is not yours.",
        "FREEZE": f"dtledger twin show {twin}",
        "RETIREMENT": f"dtledger twin erase {twin} --cancel stops it.",
        "OPENING": f"dtledger emergency list --twin {twin}",
        "OVERDUE": f"dtledger emergency list --twin {twin} --overdue",
        "RECEIPTS": f"dtledger twin access {twin}",
        "REQUEST": "dtledger consent list --pending",
        "ENDING": f"dtledger consent list --twin {twin}",
        "RESHARE": f"dtledger twin reshare {twin}",
        "RECOVERY": f"dtledger twin show {twin} says what it lacks.",
        "BACKUP": "dtledger key backup --to FILE",
    }.get(item.kind.name, "")


def _bare(item: Item) -> dict[str, Any]:
    return {
        "kind": item.kind.name.lower(),
        "urgent": item.kind.urgent,
        "at": rfc3339(item.at) if item.at else None,
        "party": item.party,
    }


def _plain(app: App, item: Item) -> dict[str, Any]:
    error = item.about.message if isinstance(item.about, DtledgerError) else None
    party = app.people.plain(item.party) if item.party else None
    return {**_bare(item), "party": party, "error": error, "hint": _hint(item) or None}


def _post(url: str, told: dict[str, Any]) -> None:
    """Raises UnreachableError: it was not taken."""
    import requests

    try:
        body = json.dumps(told, default=plain)
        headers = {"content-type": "application/json"}
        answer = requests.post(url, body, headers=headers, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
        answer.raise_for_status()
    except (OSError, ValueError) as error:
        raise UnreachableError(
            f"The webhook did not take it ({type(error).__name__}).",
            hint="What there is stands above, and is there the next time too.",
        ) from error

"""`consent show`: one grant in plain language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...errors import DtledgerError, InputError
from .. import times
from ..app import App
from ..command import verb
from ..words import listed
from .plain import plain_record, research_lines

if TYPE_CHECKING:
    from ...ledger import GrantRecord
    from ...policy import Grant

_STATES = {
    "live": "It is in force.",
    "sleeping": "It has not begun yet.",
    "blocked": "It would be in force, but its grantee is blocked on this twin.",
    "ended": "It has ended.",
    "revoked": "It was revoked and permits nothing.",
}


@verb(
    "show",
    epilog="Examples: dtledger consent show 7/cardiology/0 · "
    "dtledger consent show 7/cardiology/0 --receipt --html > receipt.html",
)
@click.argument("grant")
@click.option("--receipt", is_flag=True, help="As a consent receipt, to keep: what was allowed, how to take it back.")
@click.option("--html", is_flag=True, help="With --receipt: as one page. With --json: Kantara's and ISO 27560's names.")
@click.option("--language", default="en", show_default=True, help="With --receipt: of its words.")
def show(app: App, grant: str, receipt: bool, html: bool, language: str) -> None:
    """Say what one grant says, in plain language, and how it stands."""
    if html and (not receipt or app.as_json):
        raise click.UsageError("--html goes with --receipt, and without --json.")
    slot = app.people.slot(grant)
    record = app.client.context.view().record(slot)
    if record is None:
        raise InputError(f"There never was a grant {grant}.", hint="Look with `dtledger consent list --all`.")
    told = plain_record(app, record)
    name = told["grant"]
    if receipt:
        _receipt(app, record, told, language, html=html)
        return
    app.show(f"{name}: {_STATES[told['state']]}")
    if record.grant.given:
        for line in _terms(app, record.grant, told["categories"]):
            app.show(line)
        for line in research_lines(_research(app, record, told)):
            app.show(line)
    else:
        _show_before(app, record, told)
    app.show(f"  written    {app.time(record.at)}, block {record.block}, revision {record.grant.revision}")
    if told["needs_reseal"]:
        app.say(f"Its grantee has a new key since: dtledger consent reseal {name}")
    app.data("grant-shown", **told)


def _receipt(app: App, record: GrantRecord, told: dict[str, Any], language: str, *, html: bool) -> None:
    from .receipt import Receipt, languages

    if language not in languages():
        raise click.UsageError(f"There are receipts in {listed(languages())}.")
    given = app.client.consents.last_given(record.slot)
    if given is None:
        raise InputError(f"Nothing was ever given in {told['grant']}.", hint="Look with `dtledger consent list --all`.")
    categories = app.client.consents.names_of(record.slot, given.grant.categories)
    _research(app, given, told)
    research = None if told["research"] is None else tuple(told["research"])
    made = Receipt(app, record, given, told["grant"], told["state"], categories, research, language)
    for line in [made.html()] if html else made.text():
        app.show(line)
    app.data("consent-receipt", **made.plain())


def _research(app: App, record: GrantRecord, told: dict[str, Any]) -> tuple[str, ...]:
    """The grant's research terms; None for JSON, and a word, where this key cannot read them."""
    from ...client.research import research_of

    try:
        terms = research_of(app.client.context, record)
    except DtledgerError as error:
        told["research"] = None
        app.say(f"Its research terms cannot be read with this key: {error.message}")
        return ()
    told["research"] = list(terms)
    return terms


def _terms(app: App, grant: Grant, categories: list[str]) -> list[str]:
    from ...vocabulary import Action, Purpose, category
    from ..words import CATEGORY_NAMES

    texts = [f"{name} ({category(name).text})" if name in CATEGORY_NAMES else name for name in categories]
    purposes = [f"{each.text} ({each.name})" for each in Purpose if grant.purposes & each.mask]
    length = times.span(grant.expires_at - grant.not_before_at)
    return [
        f"  may        {listed(each.text for each in Action if grant.actions & each.mask)}",
        f"  of         {listed(texts)}",
        f"  in order   {listed(purposes, 'or') if purposes else '(writing has no purpose)'}",
        f"  from       {app.time(grant.not_before_at)}",
        f"  until      {app.time(grant.expires_at)} ({length} in all)",
        f"  data       {app.time(grant.data.start * 60)} to {app.time(grant.data.end * 60)}, both minutes included",
    ]


def _show_before(app: App, record: GrantRecord, told: dict[str, Any]) -> None:
    """What the grant said before it was revoked: the ledger's events keep it."""
    last = app.client.consents.last_given(record.slot)
    if last is None:
        return
    names = app.client.consents.names_of(record.slot, last.grant.categories)
    told["before"] = {"categories": list(names), "data": times.minutes(last.grant.data)}
    app.show("Before that it said:")
    for line in [*_terms(app, last.grant, list(names)), *research_lines(_research(app, last, told))]:
        app.show(line)

"""`twin emergency`: whether, and whom, the owner trusts to break the glass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from .. import complete, times
from ..app import App, rfc3339
from ..command import noun, verb
from ..words import CATEGORIES_OR_ALL, categories_option, flat, listed, shortened

if TYPE_CHECKING:
    from ...client import Terms
    from ...ledger import Slot
    from ...types import Address

WHO = click.option(
    "--to", metavar="WHO", shell_complete=complete.contacts, help="The emergency organisation: a contact or address."
)
TWIN = click.argument("twin", type=click.IntRange(0), required=False)


@verb(
    "on",
    epilog="Examples: dtledger twin emergency on 7 --to ambulance · dtledger twin emergency on 7 --to ambulance "
    "--category all,medications,allergies --for 730d",
)
@TWIN
@WHO
@click.option(
    "--category",
    "categories",
    multiple=True,
    default=(("all",),),
    show_default="all",
    type=CATEGORIES_OR_ALL,
    callback=lambda _, __, value: flat(value),
    metavar="NAME,…",
    help="What they could read; `all` leaves out what is sensitive, unless that is named too.",
)
@click.option("--for", "length", default="365d", show_default=True, metavar="LENGTH", help="How long it holds.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what it would do; sign nothing.")
def on(
    app: App, twin: int | None, to: str | None, categories: Sequence[str], length: str, yes: bool, dry_run: bool
) -> None:
    """Let an emergency organisation's medics open your data when there is no time to ask you.

    The grant sleeps: it permits nothing until one of its EMERGENCY members opens it, and then only reading, for
    emergency treatment, by that person, for a few hours. You see each opening in `dtledger emergency list`, and an
    auditor of another organisation reviews it. `dtledger twin emergency off` ends it at once, with whatever is open.
    """
    if to is None:
        raise click.UsageError("Name the emergency organisation: --to WHO.")
    number = app.twin(twin)
    app.client.context.require_owner(number)
    organisation, terms = app.resolve(to).address, _terms(app, categories, length)
    require_emergency(app, organisation)
    _announce(app, number, organisation, terms)
    slot, sent = app.client.consents.slot(number, organisation), None
    if dry_run:
        app.show(f"Emergency access to twin {number} would be on: {app.people.grant(slot)}")
    else:
        app.confirm("Let them?", yes=yes)
        slot, sent = _give(app, number, organisation, terms)
    told = {"categories": list(terms.categories), "expires_at": rfc3339(terms.expires_at)}
    app.data("twin-emergency", twin=number, on=True, grants=_plain(app, [slot]), **told, sent=sent, dry_run=dry_run)


@verb("off", epilog="Examples: dtledger twin emergency off 7 · dtledger twin emergency off 7 --to ambulance")
@TWIN
@WHO
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would end; sign nothing.")
def off(app: App, twin: int | None, to: str | None, yes: bool, dry_run: bool) -> None:
    """Trust nobody, or not WHO, to open your data in an emergency any more. What is open ends with it."""
    number = app.twin(twin)
    app.client.context.require_owner(number)
    named = app.resolve(to).address if to else None
    slots = [each.slot for each in app.client.emergencies.grants(number) if named in (None, each.slot.grantee)]
    sent = None
    if not slots:
        app.show(f"Nobody could open twin {number} in an emergency.")
    else:
        app.say(f"This ends {listed(app.people.grant(each) for each in slots)}.")
        if not dry_run:
            app.confirm("End it?", yes=yes)
            sent = app.sent(app.client.consents.revoke_many(number, slots))
        app.show(f"Emergency access to twin {number} {'would be' if dry_run else 'is'} off.")
    app.data("twin-emergency", twin=number, on=False, grants=_plain(app, slots), sent=sent, dry_run=dry_run)


def let(app: App, twin: int, organisation: Address) -> dict[str, Any]:
    """What `on` does by default, of a twin that was just minted; for JSON."""
    terms = _terms(app, ("all",), "365d")
    _announce(app, twin, organisation, terms)
    slot, sent = _give(app, twin, organisation, terms)
    (told,) = _plain(app, [slot])
    return {**told, "sent": sent}


def _announce(app: App, twin: int, organisation: Address, terms: Terms) -> None:
    app.say(
        f"{app.people.described(organisation)} may open {listed(shortened(terms.categories))} of twin {twin} in an "
        f"emergency, the past too, until {app.time(terms.expires_at)}. It sleeps until one of its medics opens it, and "
        "you are told."
    )


def _give(app: App, twin: int, organisation: Address, terms: Terms) -> tuple[Slot, dict[str, Any]]:
    slot, receipt = app.client.emergencies.let(twin, organisation, terms)
    sent = app.sent(receipt)
    app.show(f"Emergency access to twin {twin} is on: {app.people.grant(slot)}")
    return slot, sent


def _terms(app: App, categories: Sequence[str], length: str) -> Terms:
    from ...client import sleeping_terms

    now = app.client.context.clock()
    return sleeping_terms(now, times.ahead(length, now) - now, categories_option(categories))


def require_emergency(app: App, who: Address) -> None:
    """Refuse whom nobody could open it for.

    Raises:
        InputError: neither it nor a member of it is of kind EMERGENCY.
    """
    from ...vocabulary import Kind

    view = app.client.context.view()
    everybody = (view.member(each) for each in view.members())
    people = [view.member(who), *(each for each in everybody if each and each.organisation == who)]
    if not any(each and each.is_a(Kind.EMERGENCY) for each in people):
        raise InputError(
            f"{app.people.described(who)} has no EMERGENCY member, so nobody could open it.",
            hint="A steward adds that kind: `dtledger member kinds WHO --add EMERGENCY`.",
        )


def _plain(app: App, slots: Sequence[Slot]) -> list[dict[str, Any]]:
    return [{"grant": app.people.grant(each), "organisation": app.people.plain(each.grantee)} for each in slots]


emergency = noun("emergency", "Whether an emergency organisation may break the glass: on, off.")
for each in (on, off):
    emergency.add_command(each)

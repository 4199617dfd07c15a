"""`twin carry`: to the deployment that comes after this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...vocabulary.numbers import number_of
from ..app import App
from ..command import verb
from ..consent.plain import plain_slot
from ..words import listed

if TYPE_CHECKING:
    from ...client import Luggage


@verb("carry", epilog="Example: dtledger twin carry 7 --to hospital-2   # profiles: dtledger config show")
@click.argument("twin", type=click.IntRange(0), required=False)
@click.option("--to", required=True, metavar="PROFILE", help="The profile of the deployment that it goes to.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would come along and what would not; sign and send nothing.")
def carry(app: App, twin: int | None, to: str, yes: bool, dry_run: bool) -> None:
    """Carry a twin over to the next deployment of the contracts, for good, by one signature.

    Its number, card, guardians, blocks and grants come along, and everything that was written opens there as it did
    here. Here it permits nothing any more, and says where it went. A twin that is not carried over stays as it is.
    """
    number = app.twin(twin)
    there = app.client_of(app.settings.key, profile=to)
    succession = app.client.succession
    luggage = succession.luggage(number, there.context)
    app.say(_sentence(app, luggage, to))
    for record, why in luggage.left:
        app.say(f"{app.people.grant(record.slot)} does not: {why.value}.")
    app.say("Requests for consent that wait for an answer do not either: who asked asks again there.")
    if dry_run:
        app.show("Nothing was signed.")
        _tell(app, luggage, to, sent=None)
        return
    app.confirm(f"Carry twin {number} over to {to} for good?", yes=yes)
    sent = app.sent(succession.carry(luggage, there.context))
    app.show(f"Twin {number} lives in {to}. Next: dtledger config set profile {to}")
    _tell(app, luggage, to, sent=sent)


def _sentence(app: App, luggage: Luggage, to: str) -> str:
    grants = f"{number_of(len(luggage.grants), 'grant')} in force"
    names = listed(sorted({app.people.name(each.slot.grantee) for each in luggage.grants}))
    blocks = f" and {len(luggage.blocked)} blocked" if luggage.blocked else ""
    whose = f" ({names})" if names else ""
    return (
        f"Twin {luggage.twin} goes to {to} for good, with {grants}{whose}{blocks}, and permits nothing here any more."
    )


def _tell(app: App, luggage: Luggage, to: str, *, sent: dict[str, Any] | None) -> None:
    app.data(
        "twin-carried",
        twin=luggage.twin,
        to=to,
        grants=[plain_slot(app, each.slot) for each in luggage.grants],
        blocked=[app.people.plain(each) for each in luggage.blocked],
        left=[{**plain_slot(app, each.slot), "why": why.name} for each, why in luggage.left],
        sent=sent,
        dry_run=sent is None,
    )

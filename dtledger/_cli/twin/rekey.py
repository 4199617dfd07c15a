"""`twin rekey`: the twin's next generation, and a new package for every live grant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..app import App
from ..command import verb
from ..consent.plain import plain_slot

if TYPE_CHECKING:
    from ...ledger import Slot


@verb("rekey", epilog="Example: dtledger twin rekey 7 --key ann")
@click.argument("twin", type=click.IntRange(0), required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say who would get a new package; sign and send nothing.")
def rekey(app: App, twin: int | None, yes: bool, dry_run: bool) -> None:
    """Begin a new generation of a twin's keys: what is written from then on opens with no key that was given before.

    Every live grant gets a new package and says the same as before, those who read before those who write; nobody
    whom you granted something has to do anything. Do it after a revocation that matters, if you fear that custodians
    break their word, or that your secrets or a grantee's leaked. What was written before opens as it did.

    The new secret is saved in the key file first; if this is interrupted, run it again and it goes on.
    """
    number = app.twin(twin)
    app.client.context.require_owner(number)
    twins, people = app.client.twins, app.people
    goes_on = twins.is_rekeying(number)
    generation = twins.generation(number) + (not goes_on)
    waiting, blocked = twins.to_package(number)
    app.say(f"{'Goes on with' if goes_on else 'Begins'} generation {generation} of twin {number}.")
    for each in waiting:
        app.say(f"{people.grant(each.slot)} gets a new package, and says the same as before.")
    for each in blocked:
        app.say(f"{people.grant(each.slot)} gets none: its grantee is blocked.")
    if dry_run:
        app.say("Nothing was signed.")
        slots = [each.slot for each in waiting]
        _tell(app, number, generation, slots, [each.slot for each in blocked], sent=[], dry_run=True)
        return
    app.confirm(f"Begin generation {generation} of twin {number}?", yes=yes)
    done = twins.rekey(number)
    app.show(f"Twin {number} is written under generation {done.generation} from now on.")
    for slot in done.left:
        app.say(f"{people.grant(slot)} opens nothing of it until: dtledger consent reseal {people.grant(slot)}")
    app.say(f"Back up the key file anew: copies of {app.home.keys} made before lack this generation.")
    sent = [app.sent(receipt) for receipt in done.receipts]
    _tell(app, number, done.generation, done.sealed, done.left, sent=sent, dry_run=False)


def _tell(
    app: App, twin: int, generation: int, sealed: Sequence[Slot], left: Sequence[Slot], *, sent: Any, dry_run: bool
) -> None:
    app.data(
        "twin-rekeyed",
        twin=twin,
        generation=generation,
        sealed=[plain_slot(app, slot) for slot in sealed],
        left=[plain_slot(app, slot) for slot in left],
        sent=sent,
        dry_run=dry_run,
    )

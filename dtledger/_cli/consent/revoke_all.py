"""`consent revoke-all`: end everything on a twin at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..app import App
from ..command import verb
from .account import account, accounts
from .plain import plain_slot

if TYPE_CHECKING:
    from ...ledger import Slot


@verb("revoke-all", epilog="Example: dtledger consent revoke-all --twin 7 --keep-writers")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Which twin, if you have several.")
@click.option("--keep-writers", is_flag=True, help="Grant those that may write again, in the same transaction.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would end; sign nothing.")
def revoke_all(app: App, twin: int | None, keep_writers: bool, yes: bool, dry_run: bool) -> None:
    """End every grant on a twin at once, whatever their number, also those that have not begun.

    Gateways that may write are named: without --keep-writers nothing more is added to the twin until they are
    granted again. There is no undo, but the commands that give the same again are shown. A writer that changes its
    own grant meanwhile stops nothing: it is not kept, and named.
    """
    from ...client import GrantState

    number = app.twin(twin)
    app.client.context.require_owner(number)
    consents, people = app.client.consents, app.people
    over = (GrantState.REVOKED, GrantState.ENDED)
    standing = [each for each in consents.records(number) if consents.state(each) not in over]
    writers = consents.writers(number)
    keep = writers if keep_writers else []
    ended = [each for each in standing if each.slot not in keep]
    for each in ended:
        stops = ", WHICH WRITES TO THE TWIN" if each.slot in writers else ""
        app.say(f"This ends {people.grant(each.slot)}{stops}.")
    for slot in keep:
        app.say(f"This keeps {people.grant(slot)}, which writes to the twin.")
    if not standing:
        app.say(f"Nobody has a grant on twin {number}; revoking all makes sure of it.")
    if dry_run:
        app.say("Nothing was signed.")
        revoked = [plain_slot(app, each.slot) for each in ended]
        told = _plain(app, number, writers, keep, [])
        app.data("revocation-of-all", **told, revoked=revoked, sent=None, dry_run=True)
        return
    app.confirm(f"Revoke all that is granted on twin {number}?", yes=yes)
    terms = {each.slot: consents.terms_of(each) for each in standing}
    done = consents.revoke_all(number, keep)
    app.show(f"Revoked: all on twin {number}, in block {done.receipt.block} at {app.time(done.receipt.at)}")
    sent = app.sent(done.receipt)
    told_of = []
    ended_slots = [slot for slot in terms if slot not in done.kept]
    accounted = accounts(app, number, ended_slots, done.receipt)
    for slot, said in terms.items():
        if slot in done.kept:
            continue
        skipped = " NOT KEPT, and adds nothing more to the twin: it was changed meanwhile, maybe by its holder."
        app.say(f"{people.grant(slot)}:{skipped if slot in done.skipped else ''}")
        told_of.append({**plain_slot(app, slot), **account(app, slot, said, accounted.get(slot))})
    told = _plain(app, number, writers, done.kept, done.skipped)
    app.data("revocation-of-all", **told, revoked=told_of, sent=sent, dry_run=False)


def _plain(
    app: App, twin: int, writers: Sequence[Slot], kept: Sequence[Slot], skipped: Sequence[Slot]
) -> dict[str, Any]:
    return {
        "twin": twin,
        "writers_stopped": [plain_slot(app, slot) for slot in writers if slot not in kept],
        "kept": [plain_slot(app, slot) for slot in kept],
        "skipped": [plain_slot(app, slot) for slot in skipped],
    }

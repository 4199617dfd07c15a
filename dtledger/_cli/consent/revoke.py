"""`consent revoke`: end grants, and say what is past ending."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ...errors import AccessDeniedError, InputError
from ...policy import SLOTS
from .. import complete
from ..app import App
from ..command import verb
from ..words import listed
from .account import account, accounts
from .plain import plain_slot, who_what

if TYPE_CHECKING:
    from ...client import Terms
    from ...ledger import Receipt, Slot


@verb(
    "revoke",
    epilog="Examples: dtledger consent revoke 7/cardiology/0 · dtledger consent revoke --twin 7 --to cardiology",
)
@click.argument("grants", metavar="[GRANT]...", nargs=-1)
@click.option("--to", metavar="WHO", shell_complete=complete.contacts, help="Instead of GRANT: all that WHO has.")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="With --to: on which twin.")
@click.option("--slot", type=click.IntRange(0, SLOTS - 1), help="With --to: only that slot.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would end; sign nothing.")
def revoke(
    app: App,
    grants: Sequence[str],
    to: str | None,
    twin: int | None,
    slot: int | None,
    yes: bool,
    dry_run: bool,
) -> None:
    """End grants, as the owner who gave them or the grantee who holds them.

    In force for everything not yet fetched. What comes back is a receipt: block and time, which custodians signed
    that they refuse since, and what had been fetched before. There is no undo, but the command that gives the same
    again is shown.
    """
    slots = _slots(app, grants, to, twin, slot)
    _require_party(app, slots)
    standing = [each for each in slots if _stands(app, each)]
    for each in slots:
        if each not in standing:
            app.say(f"{app.people.grant(each)} is not in force any more.")
    terms = {each: _terms(app, each) for each in standing}
    for each in standing:
        said = terms[each]
        app.say(f"This ends {app.people.grant(each)}" + (f": {who_what(app, each, said)}." if said else "."))
    if dry_run or not standing:
        app.say("Nothing was signed.")
        app.data("revocation", revoked=[plain_slot(app, each) for each in standing], dry_run=dry_run)
        return
    app.confirm(f"Revoke {listed(map(app.people.grant, standing))}?", yes=yes)
    told = []
    for receipt, some in _send(app, standing):
        accounted = accounts(app, some[0].twin, some, receipt) if some[0].owner == app.client.address else {}
        for each in some:
            app.show(f"Revoked: {app.people.grant(each)}, in block {receipt.block} at {app.time(receipt.at)}")
            became = {"sent": app.sent(receipt), **account(app, each, terms[each], accounted.get(each))}
            told.append({**plain_slot(app, each), **became})
    app.data("revocation", revoked=told, dry_run=False)


def _slots(app: App, grants: Sequence[str], to: str | None, twin: int | None, number: int | None) -> list[Slot]:
    if bool(grants) == bool(to) or (grants and (twin is not None or number is not None)):
        raise click.UsageError("Name the grants (7/cardiology/0), or --to WHO with --twin and --slot.")
    if to is None:
        return list(dict.fromkeys(app.people.slot(each) for each in grants))
    number_of_twin = app.twin(twin)
    first = app.people.slot_at(number_of_twin, to, number or 0)
    if number is not None:
        return [first]
    records = app.client.context.view().slots_of(first.owner, number_of_twin, first.grantee)
    slots = [each.slot for each in records if each.grant.given]
    if not slots:
        raise InputError(
            f"{to} has no grant on twin {number_of_twin}.", hint="Look with `dtledger consent list --all`."
        )
    return slots


def _require_party(app: App, slots: Sequence[Slot]) -> None:
    view = app.client.context.view()
    for each in slots:
        if app.client.address not in (each.owner, each.grantee):
            raise AccessDeniedError(
                f"{app.people.grant(each)} was neither given by this key nor to it.",
                hint="Choose the owner's key, or the grantee's, with --key.",
            )
        if view.record(each) is None:
            raise InputError(
                f"There never was a grant {app.people.grant(each)}.", hint="Look with `dtledger consent list --all`."
            )


def _stands(app: App, slot: Slot) -> bool:
    from ...client import GrantState

    record = app.client.context.view().record(slot)
    return record is not None and app.client.consents.state(record) is not GrantState.REVOKED


def _terms(app: App, slot: Slot) -> Terms | None:
    """What the owner granted, in words; a grantee that ends its own grant is not told what it knows."""
    record = app.client.context.view().record(slot)
    return app.client.consents.terms_of(record) if record and slot.owner == app.client.address else None


def _send(app: App, slots: Sequence[Slot]) -> list[tuple[Receipt, list[Slot]]]:
    """Each transaction, and what it ended: an owner's grants on one twin end in one."""
    consents = app.client.consents
    own: dict[int, list[Slot]] = {}
    sent: list[tuple[Receipt, list[Slot]]] = []
    for each in slots:
        if each.owner == app.client.address:
            own.setdefault(each.twin, []).append(each)
        else:
            sent.append((consents.revoke(each), [each]))
    for twin, some in own.items():
        sent.append((consents.revoke(some[0]) if len(some) == 1 else consents.revoke_many(twin, some), some))
    return sent

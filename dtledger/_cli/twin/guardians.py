"""`twin guardians`: whom an owner trusts to freeze its twin, and to bring it to a new key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from .. import complete, times
from ..app import App
from ..command import noun, verb
from ..member.files import write_public
from ..words import listed
from . import standing
from .guardian_files import opening_bytes

if TYPE_CHECKING:
    from ...client import GuardianKeys
    from ...contacts import Contact
    from ...ledger import Receipt
    from ...ledger.guardians import Guardians
    from ...types import Address

FILE = click.Path(path_type=Path, dir_okay=False)

guardians = noun("guardians", "Whom an owner trusts to freeze its twin and to bring it to a new key: set, show.")


@verb(
    "set",
    epilog="Examples: dtledger twin guardians set 7 --guardian bea --guardian cem --guardian dot"
    " · dtledger twin guardians set 7 --none",
)
@click.argument("twin", type=click.IntRange(0), required=False)
@click.option(
    "--guardian",
    "named",
    multiple=True,
    metavar="WHO",
    shell_complete=complete.contacts,
    help="One of them: a contact with a card, or a card's file; may be repeated.",
)
@click.option("--needed", type=click.IntRange(1, 255), help="How many act together. By default a majority.")
@click.option("--delay", default="7d", show_default=True, help="How long a move by them waits for a veto: 2d to 30d.")
@click.option("--out", type=FILE, metavar="FILE", help="The file to give to each; by default twin-N.guardians.json.")
@click.option("--replace", is_flag=True, help="Replace the file if there is one.")
@click.option(
    "--without-recovery", is_flag=True, help="They need no cards, and never bring back what was written before."
)
@click.option("--none", is_flag=True, help="Have no guardians from now on.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; sign and send nothing.")
def set_(
    app: App,
    twin: int | None,
    named: Sequence[str],
    needed: int | None,
    delay: str,
    out: Path | None,
    replace: bool,
    without_recovery: bool,
    none: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Choose a twin's guardians, in place of those it has, and write the file that each of them needs.

    Together they can freeze the twin, which nobody reads or changes then; bring it to a new key, which the owner may
    veto; give that key, together with the custodians, all that was ever written; and cancel its retirement. Alone they
    read nothing. Who they are is not on the ledger until they act. If this is interrupted, run it again.
    """
    from ...client.core import duration

    if none is bool(named):
        raise click.UsageError("Name them with --guardian, or say --none.")
    number = app.twin(twin)
    if none:
        _dismiss(app, number, yes=yes, dry_run=dry_run)
        return
    contacts = [app.resolve(each) for each in named]
    chosen = [each.address for each in contacts]
    count = needed if needed is not None else len(chosen) // 2 + 1
    path = out or Path(f"twin-{number}.guardians.json")
    if path.exists() and not replace:
        raise InputError(f"There is a file {path}.", hint="Name another with --out, or say --replace.")
    keys = None if without_recovery else _keys(app, count, contacts)
    people = listed(app.people.full(each) for each in chosen)
    seconds = duration(delay)
    app.say(f"{people}: {count} of them together freeze twin {number}, or move it after {times.span(seconds)}.")
    app.say(f"With enough of the custodians they {'never ' if keys is None else ''}bring back what was written to it.")
    if dry_run:
        app.show("Nothing was sent.")
        app.data("twin-guardians", **_plain(app, number, None), file=path, sent=None, dry_run=True)
        return
    app.confirm("Choose them?", yes=yes)
    made, receipts = _choose(app, number, count, chosen, seconds, keys)
    write_public(path, opening_bytes(app, number, made), replace=replace)
    sent = [app.sent(receipt) for receipt in receipts]
    app.show(f"Twin {number} has guardians. Give {path} to each of them: without it they can do nothing.")
    app.data("twin-guardians", **_plain(app, number, made), file=path, sent=sent, dry_run=False)


def _keys(app: App, needed: int, contacts: Sequence[Contact]) -> GuardianKeys:
    """Whom the recovery package is sealed to.

    Raises:
        InputError: one of them has no card, or the same one is named twice.
    """
    from ...client import Guardian, GuardianKeys, card_check

    without = [each for each in contacts if each.card is None]
    if without:
        raise InputError(
            f"There is no card of {listed(each.name or each.address for each in without)}, so nothing can be sealed to "
            "them: they could move the twin, and not bring back what was written before.",
            hint="Ask for it (`dtledger member card`) and name its file; or say --without-recovery.",
        )
    check = card_check(app.client.context.deployment)
    return GuardianKeys(needed, tuple(Guardian.of_card(each.card, check) for each in contacts if each.card))


def _choose(
    app: App, twin: int, needed: int, chosen: Sequence[Address], delay: int, keys: GuardianKeys | None
) -> tuple[Guardians, Sequence[Receipt]]:
    client = app.client
    if keys is not None:
        return client.guardians.entrust(twin, keys, delay)
    dropped = client.twins.drop_recovery(twin)
    made, receipt = client.guardians.choose(twin, needed, chosen, delay)
    return made, [*([dropped] if dropped else []), receipt]


@verb(
    "show",
    epilog="Examples: dtledger twin guardians show 7 · dtledger twin guardians show 7 --out ann.guardians.json",
)
@click.argument("twin", type=click.IntRange(0), required=False)
@click.option("--out", type=FILE, metavar="FILE", help="Write the file that each guardian needs.")
@click.option("--replace", is_flag=True, help="Replace the file if there is one.")
def show(app: App, twin: int | None, out: Path | None, replace: bool) -> None:
    """Show who a twin's guardians are, as its owner's key knows them."""
    number = app.twin(twin)
    known = app.client.guardians.chosen(number)
    if known is None:
        app.show(f"Twin {number} has no guardians.")
        if out is not None:
            raise InputError("There is nothing to write.", hint="Choose them: dtledger twin guardians set")
    else:
        names = listed(app.people.full(each) for each in known.addresses)
        app.show(f"{known.needed} of {len(known.addresses)}: {names}")
        state = standing.recovery(app, number)
        app.show(f"recovery: {standing.recovery_words(state) if state else standing.NO_RECOVERY}")
    if known is not None and out is not None:
        write_public(out, opening_bytes(app, number, known), replace=replace)
        app.show(f"{out} is written; give it to each of them.")
    app.data("twin-guardians", **_plain(app, number, known), file=out, sent=None, dry_run=False)


def _dismiss(app: App, twin: int, *, yes: bool, dry_run: bool) -> None:
    app.say(f"Nobody will be able to freeze twin {twin}, or to bring it to a new key when this one is lost.")
    sent = None
    if not dry_run:
        app.confirm("Have no guardians?", yes=yes)
        sent = [app.sent(app.client.guardians.dismiss(twin))]
    app.show(f"Twin {twin} {'would have' if dry_run else 'has'} no guardians.")
    app.data("twin-guardians", **_plain(app, twin, None), file=None, sent=sent, dry_run=dry_run)


def _plain(app: App, twin: int, known: Guardians | None) -> dict[str, Any]:
    return {
        "twin": twin,
        "needed": known.needed if known else 0,
        "guardians": [app.people.plain(each) for each in known.addresses] if known else [],
        "recovery": standing.plain_recovery(standing.recovery(app, twin)),
        "delay_seconds": app.client.context.view().state(twin).recovery_delay,
    }


for each in (set_, show):
    guardians.add_command(each)

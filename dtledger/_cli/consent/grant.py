"""`consent grant`: one sentence a grantee, one question, one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from .. import complete
from ..app import App
from ..command import verb
from .giving import announce, dry_run, granted
from .options import granting
from .terms import TermOptions

if TYPE_CHECKING:
    from ...types import Address


@verb(
    "grant",
    epilog="Examples: dtledger consent grant --to cardiology --category glucose,meals --purpose TREAT --for 30d "
    "--history 30d · dtledger consent grant --to gateway --category all --action WRITE --for 365d",
)
@click.option(
    "--to",
    "names",
    multiple=True,
    required=True,
    metavar="WHO",
    shell_complete=complete.contacts,
    help="A contact, an address or a card file. Repeated: the same to each, in one transaction.",
)
@granting
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Which twin, if you have several.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--dry-run",
    "dry",
    is_flag=True,
    help="Say what it would do, with the snapshots that it opens; sign nothing.",
)
def grant(
    app: App, names: Sequence[str], twin: int | None, slot: int | None, yes: bool, dry: bool, **options: Any
) -> None:
    """Let somebody read, add to, or train models on data of your twin.

    How long it holds is one thing (--for, --until, --from), which data it opens another: by default those from the
    snapshot under way until the grant ends, and nothing of the past (--history, --data-from, --data-until).

    You get one sentence a grantee and a question before anything is signed.
    """
    terms = TermOptions(**options).terms(app)
    number = app.twin(twin)
    app.client.context.require_owner(number)
    grantees = list(dict.fromkeys(_grantee(app, each) for each in names))
    if slot is not None and len(grantees) > 1:
        raise click.UsageError("--slot names one grantee's slot; give each a command of its own.")
    consents = app.client.consents
    slots = [consents.slot(number, each, slot) for each in grantees]
    told = announce(app, slots, terms)
    if dry:
        snapshots = dry_run(app, number, terms)
        _data(app, told, snapshots=snapshots, sent=None, dry_run=True)
        return
    app.confirm("Grant it?" if len(slots) == 1 else f"Grant it to all {len(slots)}?", yes=yes)
    if len(slots) == 1:
        _, receipt = consents.grant(number, grantees[0], terms, slots[0].number)
    else:
        slots, receipt = consents.grant_many(number, grantees, terms)
    sent = app.sent(receipt)
    for each in slots:
        granted(app, each)
    _data(app, told, sent=sent, dry_run=False)


def _data(app: App, told: list[dict[str, Any]], **values: Any) -> None:
    """One grant is its own object, as it always was; several are a list in one."""
    if len(told) == 1:
        app.data("grant", **told[0], **values)
    else:
        app.data("grants-given", grants=told, **values)


def _grantee(app: App, to: str) -> Address:
    """Whom `--to` means, if a grant can be sealed to them.

    Raises:
        InputError: nobody known, or the owner.
        CannotCheckError: somebody who is not enrolled, or whose key is not to be had.
    """
    contact = app.resolve(to)
    context = app.client.context
    if contact.address == app.client.address:
        raise InputError("An owner needs no grant.", hint="Read your own data for the purpose PATRQT.")
    context.public_key(contact.address)
    if contact.name is None:
        app.say(f"{contact.address} is none of your contacts; its six words are: {contact.fingerprint}.")
    return contact.address

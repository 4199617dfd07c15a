"""`consent grant`: one sentence, one question, one grant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from ...policy import SLOTS
from .. import complete, times
from ..app import App, rfc3339
from ..command import verb
from ..words import CATEGORY_OR_ALL, PURPOSE, table
from .plain import (
    key_warning,
    opens,
    plain_slot,
    plain_terms,
    require_owner,
    sentence,
    standing_warnings,
    warned,
    who_what,
)
from .terms import TermOptions

if TYPE_CHECKING:
    from ...client import Terms
    from ...ledger import Slot
    from ...types import Address


@verb(
    "grant",
    epilog="Examples: dtledger consent grant --to cardiology --category glucose --purpose TREAT --for 30d "
    "--history 30d · dtledger consent grant --to gateway --category all --action WRITE --for 365d",
)
@click.option(
    "--to", required=True, metavar="WHO", shell_complete=complete.contacts, help="A contact, an address or a card file."
)
@click.option(
    "--category",
    "categories",
    multiple=True,
    required=True,
    type=CATEGORY_OR_ALL,
    help="What; may be repeated. `all` leaves out what is sensitive, unless that is named too.",
)
@click.option("--purpose", "purposes", multiple=True, type=PURPOSE, help="What for; may be repeated.")
@click.option(
    "--action",
    "actions",
    multiple=True,
    default=("READ",),
    show_default=True,
    type=click.Choice(["READ", "WRITE", "TRAIN"], case_sensitive=False),
    help="May be repeated. WRITE alone has no purpose.",
)
@click.option("--for", "length", metavar="LENGTH", help="How long it holds: 24h, 30d, 8w.")
@click.option("--until", metavar="TIME", help="Instead: until when; a day counts whole.")
@click.option("--from", "start", metavar="TIME", help="From when it holds. By default from now.")
@click.option("--data-from", metavar="TIME", help="Which data: from when. By default from now, not the past.")
@click.option("--data-until", metavar="TIME", help="Which data: up to when. By default until the grant ends.")
@click.option("--history", metavar="LENGTH|all", help="Open the past too: 90d, or all of it.")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Which twin, if you have several.")
@click.option("--slot", type=click.IntRange(0, SLOTS - 1), help="Which slot; what stands there is replaced.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what it would do, with the snapshots that it opens; sign nothing.")
def grant(app: App, to: str, twin: int | None, slot: int | None, yes: bool, dry_run: bool, **options: Any) -> None:
    """Let somebody read, add to, or train models on data of your twin.

    How long it holds is one thing (--for, --until, --from), which data it opens another: by default those from the
    snapshot under way until the grant ends, and nothing of the past (--history, --data-from, --data-until).

    You get one sentence and a question before anything is signed.
    """
    terms = TermOptions(**options).terms(app)
    number = app.twin(twin)
    require_owner(app, number)
    grantee = _grantee(app, number, to)
    where = app.client.consents.slot(number, grantee, slot)
    written = _count(app, number, terms) if opens(terms) else None
    warnings = warned(app, _warnings(app, where, terms))
    text = sentence(app, where, terms, written)
    app.say(text)
    told = {
        **plain_slot(app, where),
        **plain_terms(terms),
        "sentence": text,
        "warnings": warnings,
        "snapshots_written": written,
    }
    if dry_run:
        snapshots = list(_opened(app, number, terms)) if opens(terms) else []
        _show_snapshots(app, snapshots)
        app.data("grant", **told, snapshots=snapshots, sent=None, dry_run=True)
        return
    app.confirm("Grant it?", yes=yes)
    _, receipt = app.client.consents.grant(number, grantee, terms, where.number)
    sent = app.sent(receipt)
    name = app.people.grant(where)
    app.show(f"Granted: {name}")
    app.say(f"To take it back: dtledger consent revoke {name}")
    app.data("grant", **told, sent=sent, dry_run=False)


def _grantee(app: App, twin: int, to: str) -> Address:
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


def _warnings(app: App, slot: Slot, terms: Terms) -> list[str | None]:
    """What a person should know before it is signed."""
    from ...vocabulary import Action, Kind, category

    view, consents = app.client.context.view(), app.client.consents
    member = view.member(slot.grantee)
    organisation = any(each.organisation == slot.grantee for who in view.members() if (each := view.member(who)))
    warnings = [*standing_warnings(app, slot.twin, slot.grantee), key_warning(app, slot.grantee)]
    for action, kind in ((Action.WRITE, Kind.GATEWAY), (Action.TRAIN, Kind.RESEARCHER)):
        if action in terms.actions and member and not member.is_a(kind) and not organisation:
            warnings.append(f"it is no {kind.name}, which {action.name} needs: a registrar has to make it one.")
    sensitive = [name for name in terms.categories if category(name).sensitive]
    if sensitive:
        warnings.append(f"sensitive: {', '.join(sensitive)}.")
    record = view.record(slot)
    if record and consents.is_live(record, view):
        warnings.append(f"this replaces {app.people.grant(slot)}: {who_what(app, slot, consents.terms_of(record))}.")
    return warnings


def _count(app: App, twin: int, terms: Terms) -> int:
    snapshots = app.client.snapshots
    return sum(
        terms.data.contains(each) for name in terms.categories for each in snapshots.periods(twin, name, terms.data)
    )


def _opened(app: App, twin: int, terms: Terms) -> Iterator[dict[str, Any]]:
    """The snapshots that are there and would be opened, for JSON."""
    for name in terms.categories:
        for group in app.client.snapshots.list(twin, name, terms.data):
            for found in (each.found for each in group):
                if found.counts and terms.data.contains(found.manifest.period):
                    yield {
                        "category": name,
                        **times.minutes(found.manifest.period),
                        "writer": app.people.plain(found.writer),
                        "anchored_at": rfc3339(found.batch.at),
                        "digest": found.digest,
                    }


def _show_snapshots(app: App, snapshots: Sequence[dict[str, Any]]) -> None:
    rows = [
        [each["category"], *(app.time(datetime.fromisoformat(each[end])) for end in ("from", "until")), name]
        for each in snapshots
        for name in [app.people.name(each["writer"]["address"])]
    ]
    for line in table(["category", "from", "until", "writer"], rows) if rows else []:
        app.show(line)
    app.say(f"Nothing was signed. It would open {len(rows)} snapshots that are there now.")

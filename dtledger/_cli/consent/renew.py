"""`consent renew` and `consent reseal`: the same grant for longer, and for a grantee's new key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...errors import InputError
from .. import times
from ..app import App
from ..command import verb
from .plain import data_words, key_warning, plain_slot, plain_terms, standing_warnings, warned, who_what

if TYPE_CHECKING:
    from ...ledger import Slot


@verb("renew", epilog="Example: dtledger consent renew 7/cardiology/0 --for 30d")
@click.argument("grant")
@click.option("--for", "length", metavar="LENGTH", help="How long from now: 24h, 30d, 8w.")
@click.option("--until", metavar="TIME", help="Instead: until when; a day counts whole.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what it would do; sign nothing.")
def renew(app: App, grant: str, length: str | None, until: str | None, yes: bool, dry_run: bool) -> None:
    """Let a grant that was not revoked hold until another time.

    Data that it opens until it ends go with it; a data period that was given an end of its own keeps that.
    """
    if (length is None) == (until is None):
        raise click.UsageError("Say how long: --for 30d, or --until 2026-12-31.")
    slot = app.people.slot(grant)
    app.client.context.require_owner(slot.twin)
    now = app.client.context.clock()
    ends = times.ahead(length, now) if length else times.end(str(until), now, app.zone)
    if ends <= now:
        raise InputError(f"It would have ended at {app.time(ends)}.", hint="`dtledger consent revoke` ends a grant.")
    terms = app.client.consents.renewed(slot, ends)
    warnings = warned(app, standing_warnings(app, slot.twin, slot.grantee))
    app.say(f"{who_what(app, slot, terms)}: {data_words(app, terms)}.")
    told = {**plain_slot(app, slot), **plain_terms(terms), "warnings": warnings}
    if dry_run:
        app.say("Nothing was signed.")
        app.data("grant", **told, sent=None, dry_run=True)
        return
    app.confirm("Grant it?", yes=yes)
    sent = app.sent(app.client.consents.renew(slot, ends))
    app.show(f"Renewed: {app.people.grant(slot)}")
    app.data("grant", **told, sent=sent, dry_run=False)


@verb("reseal", epilog="Examples: dtledger consent reseal · dtledger consent reseal 7/cardiology/0")
@click.argument("grant", required=False)
@click.option("--all", "every", is_flag=True, help="Every grant that holds, whether its grantee's key changed or not.")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Without GRANT: which twin.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what it would do; sign nothing.")
def reseal(app: App, grant: str | None, every: bool, twin: int | None, yes: bool, dry_run: bool) -> None:
    """Seal a grant's keys to its grantee's present key, and grant the same again.

    Without GRANT: all grants whose grantee has another key than when they were given. Compare the new six words with
    the grantee first: whoever holds that key can read.
    """
    if grant is not None and (every or twin is not None):
        raise click.UsageError("Name one grant, or --all and --twin.")
    slots = [app.people.slot(grant)] if grant is not None else _to_reseal(app, app.twin(twin), every=every)
    for slot in slots:
        app.client.context.require_owner(slot.twin)
        who, key = app.people.described(slot.grantee), _fingerprint(app, slot)
        app.say(f"{app.people.grant(slot)} is sealed to {who}, whose six words are: {key}.")
    if not slots:
        app.say("No grantee's key changed: there is nothing to seal anew (--all does it all the same).")
    if dry_run or not slots:
        app.say("Nothing was signed.")
        app.data("resealed", grants=[plain_slot(app, each) for each in slots], dry_run=dry_run)
        return
    app.confirm("Are these the six words that the grantees see?", yes=yes)
    told = []
    for slot in slots:
        sent = app.sent(app.client.consents.reseal(slot))
        app.show(f"Resealed: {app.people.grant(slot)}")
        told.append({**plain_slot(app, slot), "sent": sent})
    app.data("resealed", grants=told, dry_run=False)


def _to_reseal(app: App, twin: int, *, every: bool) -> list[Slot]:
    from ...client import GrantState

    app.client.context.require_owner(twin)
    consents = app.client.consents
    over = (GrantState.REVOKED, GrantState.ENDED)
    standing = [each for each in consents.records(twin) if consents.state(each) not in over]
    return [each.slot for each in standing if every or consents.needs_reseal(each)]


def _fingerprint(app: App, slot: Slot) -> str:
    from ...contacts import fingerprint

    warned(app, [key_warning(app, slot.grantee)])
    return fingerprint(slot.grantee, app.client.context.public_key(slot.grantee))

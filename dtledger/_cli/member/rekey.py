"""`member rekey`: another key to seal to, for the same address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..app import App
from ..command import Verb
from . import options

if TYPE_CHECKING:
    from ...ledger import GrantRecord


@click.command("rekey", cls=Verb, epilog="Example: dtledger member rekey --key cardiology")
@options.yes
@options.dry_run
@click.pass_obj
def rekey(app: App, yes: bool, dry_run: bool) -> None:
    """Give the selected key another key that others seal to, and put its digest on the ledger.

    The new one is saved in the key file before anything depends on it; if this is interrupted, run it again and it
    goes on. The former one stays in the file and opens what was sealed to it, so no grant is lost. But whoever has
    the former one can open those packages too: their owners seal them anew with `dtledger consent reseal`.

    The address stays, and with it who you are; a card made before is out of date.
    """
    from ...contacts import fingerprint

    client = app.client
    under_way = client.context.key.secrets.next_seal_key is not None
    app.say(
        "Goes on with a change of key that was interrupted."
        if under_way
        else f"Changes the key that others seal to, of {client.address}. Cards made before are out of date then."
    )
    sent = None
    if not dry_run:
        app.confirm("Change it?", yes=yes)
        receipt = client.members.rekey()
        sent = app.sent(receipt) if receipt else None
    words = None if dry_run else fingerprint(client.address, client.context.key.seal_key.public)
    app.show("The key to seal to is changed. Your new words:" if words else "The key to seal to would be changed.")
    if words:
        app.show(f"fingerprint  {click.style(words, bold=True)}")
    grants = [_plain(each) for each in client.consents.received() if _is_concerned(app, each, dry_run=dry_run)]
    _advise(app, grants)
    app.data("member-rekeyed", fingerprint=words, to_reseal=grants, sent=sent, dry_run=dry_run)


def _is_concerned(app: App, record: GrantRecord, *, dry_run: bool) -> bool:
    """Whether a live grant's package is (or would be) sealed to a key that is no longer in use."""
    consents = app.client.consents
    mine = record.slot.grantee == app.client.address
    return mine and consents.is_live(record) and (dry_run or consents.needs_reseal(record))


def _plain(record: GrantRecord) -> dict[str, Any]:
    slot = record.slot
    return {"twin": slot.twin, "owner": slot.owner, "grantee": slot.grantee, "slot": slot.number}


def _advise(app: App, grants: list[dict[str, Any]]) -> None:
    if grants:
        app.say("Ask these owners to seal their grants anew:")
    for each in grants:
        app.say(f"  {each['owner']}  dtledger consent reseal {each['twin']}/{each['grantee']}/{each['slot']}")
    members = [
        each
        for each in app.client.context.view().members()
        if (found := app.client.context.view().member(each)) and found.organisation == app.client.address
    ]
    if members:
        app.say("Then let your members have the new key: dtledger member keyring")
    app.say('A new card for your contacts: dtledger member card "YOUR NAME"')

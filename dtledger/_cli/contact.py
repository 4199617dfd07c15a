"""`contact`: whom you know, by a name that you chose."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ..errors import DtledgerError, InputError
from . import complete
from .app import App, rfc3339
from .command import noun
from .words import table

if TYPE_CHECKING:
    from ..contacts import Contact

contact_command = noun("contact", "Whom you know. `dtledger help who` says how to be sure of somebody.")


@contact_command.command(
    "add", epilog="Examples: dtledger contact add ann ann.card.json · dtledger contact add clinic 0x52908400098527886E…"
)
@click.argument("name")
@click.argument("who", metavar="CARD|ADDRESS")
@click.option("--replace", is_flag=True, help="Take a later card of the same address for the contact NAME.")
@click.option("--yes", is_flag=True, help="The six words were compared: do not ask.")
@click.option("--dry-run", is_flag=True, help="Show who it is; keep nothing.")
@click.pass_obj
def add(app: App, name: str, who: str, replace: bool, yes: bool, dry_run: bool) -> None:
    """Keep the member of a card file, or an address, as the contact NAME.

    Its six words are shown. Compare them with the member by telephone or in person (`dtledger key show` shows them on
    the other side): a card proves that its key signed it, and only you can tell whose key that is.
    """
    from ..home import check_name

    check_name(name, "contact")
    if not _is_new(who):
        raise InputError(f"{who!r} is neither a card file nor an address.", hint="A card file ends in .json.")
    meant = app.resolve(who)
    _require_free(app, name, meant, replace=replace)
    standing = _standing(app, meant)
    _show(app, meant, standing)
    if not dry_run:
        app.confirm("Are these the six words that the member sees?", yes=yes)
        app.contacts.add(name, who, at=int(time.time()), replace=replace)
    app.show(f"{name} {'would be' if dry_run else 'is'} the contact {meant.address}.")
    app.data("contact", **{**_plain(meant), "name": name}, ledger=standing, dry_run=dry_run)


def _is_new(who: str) -> bool:
    return who.startswith(("0x", "0X")) or "/" in who or who.endswith(".json")


def _require_free(app: App, name: str, meant: Contact, *, replace: bool) -> None:
    """Refuse before the question what `Contacts.add` would refuse after it."""
    if meant.name not in (None, name):
        raise InputError(f"{meant.address} is the contact {meant.name} already.", hint="One name is enough.")
    for known in app.contacts.list():
        if known.name == name and not (replace and known.address == meant.address):
            raise InputError(
                f"There is a contact {name} already: {known.address}, {known.fingerprint}.",
                hint="Choose another name; --replace takes a later card of the same address.",
            )


def _standing(app: App, contact: Contact) -> str:
    """What the ledger says of somebody: enrolled, another key, a stranger, or that nobody can say now."""
    try:
        view = app.ledger.view()
    except DtledgerError:
        return "unknown"
    member = view.member(contact.address)
    if member is None:
        return "stranger"
    if contact.card and view.key_digest(contact.address) != contact.card.card.key:
        return "another-key"
    return "suspended" if member.suspended else "enrolled"


_WORDS = {
    "enrolled": "enrolled on the ledger",
    "suspended": "enrolled on the ledger, and suspended",
    "stranger": "not enrolled on the ledger (yet)",
    "another-key": "enrolled on the ledger with ANOTHER key to seal to than this card's: ask for its newest card",
    "unknown": "the ledger could not be asked whether it is enrolled",
}


def _show(app: App, contact: Contact, standing: str) -> None:
    app.say(f"address      {contact.address}")
    if contact.card:
        app.say(f"name         {contact.card.name}" + ("" if contact.card.name_signature else " (not signed)"))
        if contact.organisation:
            app.say(f"of           {contact.organisation} ({contact.card.organisation})")
    alone = "" if contact.card else " (of the address alone)"
    app.say(f"fingerprint  {click.style(contact.fingerprint, bold=True)}{alone}")
    app.say(f"             {_WORDS[standing]}")


@contact_command.command("list", epilog="Example: dtledger contact list --json")
@click.pass_obj
def list_(app: App) -> None:
    """List your contacts, with address, organisation and six words."""
    from ..contacts import Contacts

    contacts = Contacts(app.home).list()
    rows = [[each.name, each.address, each.fingerprint, _card_words(each)] for each in contacts]
    for line in table(["contact", "address", "six words", "card"], rows) if rows else []:
        app.show(line)
    if not contacts:
        app.say("You have no contact yet. Add one: dtledger contact add NAME CARD")
    app.data("contacts", contacts=[_plain(each) for each in contacts])


def _card_words(contact: Contact) -> str:
    of = f" ({contact.organisation})" if contact.organisation else ""
    return f"{contact.card.name}{of}" if contact.card else "(no card)"


def _plain(contact: Contact) -> dict[str, Any]:
    card = contact.card
    return {
        "name": contact.name,
        "address": contact.address,
        "fingerprint": contact.fingerprint,
        "card_name": card.name if card else None,
        "organisation": card.organisation if card and contact.organisation else None,
        "organisation_name": contact.organisation or None,
        "version": card.version if card else None,
        "added_at": None if contact.added_at is None else rfc3339(contact.added_at),
    }


@contact_command.command("remove", epilog="Example: dtledger contact remove ann")
@click.argument("name", shell_complete=complete.contacts)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show whom; remove nothing.")
@click.pass_obj
def remove(app: App, name: str, yes: bool, dry_run: bool) -> None:
    """Forget a contact. Grants to it stay as they are: revoke them with `dtledger consent revoke`."""
    from ..contacts import Contacts

    contacts = Contacts(app.home)
    address: str | None = None
    try:
        address = contacts.get(name).address
    except DtledgerError as error:  # a damaged one can be removed too
        if not (app.home.contacts / f"{name}.json").exists():
            raise
        app.warn(error.message)
    if not dry_run:
        app.confirm(f"Forget the contact {name}{f' ({address})' if address else ''}?", yes=yes)
        contacts.remove(name)
    app.show(f"{name} {'would be' if dry_run else 'is'} removed.")
    app.data("contact-removed", name=name, address=address, dry_run=dry_run)

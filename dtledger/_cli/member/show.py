"""`member show`: what the ledger says of one member."""

from __future__ import annotations

import click

from .. import complete
from ..app import App
from ..command import Verb
from .person import Person


@click.command("show", cls=Verb, epilog="Example: dtledger member show cardiology")
@click.argument("who", required=False, shell_complete=complete.contacts)
@click.pass_obj
def show(app: App, who: str | None) -> None:
    """Show WHO (a contact, an address or a card file): kinds, organisation, who enrolled it, and its six words.

    Without WHO, the selected key. The six words are those of the key that the ledger names for it.
    """
    from ...keys import KeyStore

    address = app.resolve(who).address if who else KeyStore(app.home).open(app.settings.key).address
    person = Person(app, app.ledger.view(), address or app.client.address)
    person.show()
    app.data("member", **person.to_dict())

"""`key show`: who a key is to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .. import complete
from ..app import App
from ..command import verb
from .options import passwords

if TYPE_CHECKING:
    from ...keys import KeyFile, UnlockedKey


@verb("show", epilog="Example: dtledger key show ann")
@click.argument("name", required=False, shell_complete=complete.keys)
@click.option("--locked", is_flag=True, help="Show what the file says without its password.")
def show(app: App, name: str | None, locked: bool) -> None:
    """Show a key: its address and the six words that others compare when they add you as a contact.

    The words stand for the address and the key to seal to, so the key is unlocked for them.
    """
    from ...keys import KeyStore

    file = KeyStore(app.home).open(name or app.settings.key)
    key = None if locked else file.unlock(passwords(app).of(file.name))
    _show(app, file, key)


def _show(app: App, file: KeyFile, key: UnlockedKey | None) -> None:
    from ...contacts import fingerprint

    address = key.address if key else file.address
    words = fingerprint(key.address, key.seal_key.public) if key else None
    twins = {of: sorted(map(int, held)) for of, held in key.secrets.twins.items()} if key else None
    app.show(f"key          {file.name}")
    app.show(f"address      {address or 'shows when it is first unlocked'}")
    if words:
        app.show(f"fingerprint  {click.style(words, bold=True)}")
    if address:
        app.show(f"             {click.style(f'{fingerprint(address)} (the address alone)', dim=True)}")
    app.show(f"file         {file.path}")
    for deployment, numbers in (twins or {}).items():
        app.show(f"twins        {', '.join(map(str, numbers))} on {deployment}")
    app.data(
        "key",
        name=file.name,
        address=address,
        path=file.path,
        fingerprint=words,
        address_fingerprint=fingerprint(address) if address else None,
        twins=twins,
    )

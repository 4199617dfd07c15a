"""`key use`: which key is meant when none is named."""

from __future__ import annotations

from pathlib import Path

import click

from ...errors import InputError
from .. import complete
from ..app import App
from ..command import verb


@verb("use", epilog="Example: dtledger key use ann")
@click.argument("name", shell_complete=complete.keys)
@click.option("--dry-run", is_flag=True, help="Check that there is such a key; change nothing.")
def use(app: App, name: str, dry_run: bool) -> None:
    """Use the key NAME when none is named."""
    from ...config import Settings
    from ...keys import KeyStore

    store = KeyStore(app.home)
    if name not in store.names() and Path(name).exists():
        raise InputError(
            f"{name} is a file, not the name of a key.",
            hint=f"Adopt it (dtledger key new NAME --keystore {name}), or set ETH_KEYSTORE.",
        )
    file = store.open(name) if dry_run else store.use(name)
    app.show(f"The key {name} ({file.address}) {'would be' if dry_run else 'is'} used when none is named.")
    source = Settings.load(app.home).source("key")
    overruled = source if source != "dtledger key use" and not dry_run else None
    if overruled:
        app.warn(f"{overruled} names another, and counts before it.")
    app.data("key-use", name=name, address=file.address, dry_run=dry_run, overruled_by=overruled)

"""`key new`: a key, made or taken in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...config import DEVNET
from ...errors import KeyFileError
from ..app import App
from ..command import verb
from .options import FILE, passwords

if TYPE_CHECKING:
    from ...keys import KeyStore, Passwords


@verb("new", epilog="Examples: dtledger key new ann · dtledger key new ann --keystore ~/.foundry/keystores/ann")
@click.argument("name")
@click.option("--from-file", type=FILE, metavar="FILE", help="Take the private key that FILE holds in hexadecimal.")
@click.option("--import", "ask", is_flag=True, help="Ask for a private key on the terminal and take it.")
@click.option("--keystore", type=FILE, metavar="FILE", help="Adopt a copy of another tool's keystore (cast, geth, …).")
@click.option("--use", is_flag=True, help="Use it from now on when none is named.")
@click.option("--dry-run", is_flag=True, help="Check the name and what is to be taken; write nothing.")
def new(
    app: App, name: str, from_file: Path | None, ask: bool, keystore: Path | None, use: bool, dry_run: bool
) -> None:
    """Make a key: a new random one, or from a private key or keystore that you have.

    Its password is asked for twice, or read from the file that DTLEDGER_PASSWORD_FILE names. A keystore keeps its
    own password. The first key of a home is used when none is named.
    """
    from ...keys import KeyStore, read_private_key

    if sum((from_file is not None, ask, keystore is not None)) > 1:
        raise click.UsageError("Name one source: --from-file, --import or --keystore.")
    store = KeyStore(app.home)
    _require_free(store, name)
    given = passwords(app)
    private = read_private_key(from_file, given.prompt if ask else None) if from_file or ask else None
    if dry_run:
        if keystore is not None:
            store.open(str(keystore.absolute()))
        app.show(f"The key {name} would be made in {app.home.keys}.")
        app.data("key", name=name, dry_run=True)
        return
    if keystore is not None:
        _adopt(store, name, keystore, given)
    else:
        store.create(name, given.for_new(name), private)
    if use:
        store.use(name)
    file = store.open(name)
    used = store.default() == name
    app.show(f"The key {name} is {file.address}" + (", used when none is named." if used else "."))
    if given.file is not None:
        app.say(f"Its password is the one in {given.file}.")
    app.say(f"It lies in {file.path}. Nobody else has what is in it: `dtledger key backup` makes a copy.")
    if app.settings.profile == DEVNET:
        app.say("`dtledger devnet up` gives it play money for transactions.")
    app.data("key", name=name, address=file.address, path=file.path, used=used, dry_run=False)


def _require_free(store: KeyStore, name: str) -> None:
    """Refuse a name before anything is asked."""
    from ...home import check_name

    if check_name(name, "key") in store.names():
        raise KeyFileError(f"There is a key {name} already; it is never overwritten.", hint="Choose another name.")


def _adopt(store: KeyStore, name: str, source: Path, passwords: Passwords) -> None:
    """Copy a keystore once its password is known to open it, and begin its section."""
    password = passwords.of(name)
    store.open(str(source.absolute())).unlock(password, signing_only=True)
    store.adopt(name, source).unlock(password)

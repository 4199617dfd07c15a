"""`key`: new, list, show, use. No secret is ever an argument; files and questions bring them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config import DEVNET
from ..errors import InputError, KeyFileError
from . import complete
from .app import App, ask_secret
from .command import noun

if TYPE_CHECKING:
    from ..keys import KeyFile, KeyStore, Passwords, UnlockedKey

key_command = noun("key", "Keys: who you are on the ledger. `dtledger help keys` says what a key file holds.")

FILE = click.Path(path_type=Path, dir_okay=False)


@key_command.command(
    "new", epilog="Examples: dtledger key new ann · dtledger key new ann --keystore ~/.foundry/keystores/ann"
)
@click.argument("name")
@click.option("--from-file", type=FILE, metavar="FILE", help="Take the private key that FILE holds in hexadecimal.")
@click.option("--import", "ask", is_flag=True, help="Ask for a private key on the terminal and take it.")
@click.option("--keystore", type=FILE, metavar="FILE", help="Adopt a copy of another tool's keystore (cast, geth, …).")
@click.option("--use", is_flag=True, help="Use it from now on when none is named.")
@click.option("--dry-run", is_flag=True, help="Check the name and what is to be taken; write nothing.")
@click.pass_obj
def new(
    app: App, name: str, from_file: Path | None, ask: bool, keystore: Path | None, use: bool, dry_run: bool
) -> None:
    """Make a key: a new random one, or from a private key or keystore that you have.

    Its password is asked for twice, or read from the file that DTLEDGER_PASSWORD_FILE names. A keystore keeps its
    own password. The first key of a home is used when none is named.
    """
    from ..keys import KeyStore, read_private_key

    if sum((from_file is not None, ask, keystore is not None)) > 1:
        raise click.UsageError("Name one source: --from-file, --import or --keystore.")
    store = KeyStore(app.home)
    _require_free(store, name)
    private = read_private_key(from_file, ask_secret if ask else None) if from_file or ask else None
    if dry_run:
        if keystore is not None:
            store.open(str(keystore.absolute()))
        app.show(f"The key {name} would be made in {app.home.keys}.")
        app.data("key", name=name, dry_run=True)
        return
    passwords = _passwords(app)
    if keystore is not None:
        _adopt(store, name, keystore, passwords)
    else:
        store.create(name, passwords.for_new(name), private)
    if use:
        store.use(name)
    file = store.open(name)
    used = store.default() == name
    app.show(f"The key {name} is {file.address}" + (", used when none is named." if used else "."))
    if passwords.file is not None:
        app.say(f"Its password is the one in {passwords.file}.")
    app.say(f"It lies in {file.path}. Back it up: nobody else has what is in it.")
    if app.settings.profile == DEVNET:
        app.say("`dtledger devnet up` gives it play money for transactions.")
    app.data("key", name=name, address=file.address, path=file.path, used=used, dry_run=False)


def _passwords(app: App) -> Passwords:
    from ..keys import Passwords

    return Passwords(app.settings.password_file, ask_secret)


def _require_free(store: KeyStore, name: str) -> None:
    """Refuse a name before anything is asked."""
    from ..home import check_name

    if check_name(name, "key") in store.names():
        raise KeyFileError(f"There is a key {name} already; it is never overwritten.", hint="Choose another name.")


def _adopt(store: KeyStore, name: str, source: Path, passwords: Passwords) -> None:
    """Copy a keystore once its password is known to open it, and begin its section."""
    password = passwords.of(name)
    store.open(str(source.absolute())).unlock(password, signing_only=True)
    store.adopt(name, source).unlock(password)


@key_command.command("list", epilog="Example: dtledger key list --json")
@click.pass_obj
def list_(app: App) -> None:
    """List the home's keys. The one marked * is used when none is named."""
    from ..keys import KeyStore

    store = KeyStore(app.home)
    used = app.settings.values["key"].value
    rows = []
    for name in store.names():
        try:
            rows.append({"name": name, "address": store.open(name).address, "used": name == used, "trouble": None})
        except KeyFileError as error:
            rows.append({"name": name, "address": None, "used": name == used, "trouble": str(error)})
    width = max((len(name) for name in store.names()), default=0)
    for row in rows:
        shown = row["address"] or row["trouble"] or "its address shows when it is first unlocked"
        app.show(f"{'*' if row['used'] else ' '} {row['name']:<{width}}  {shown}")
    if not rows:
        app.say("There is no key yet. Make one: dtledger key new NAME")
    elif used is not None and used not in store.names():
        app.say(f"Used: {used} ({app.settings.source('key')}).")
    app.data("keys", keys=rows, used=used)


@key_command.command("show", epilog="Example: dtledger key show ann")
@click.argument("name", required=False, shell_complete=complete.keys)
@click.option("--locked", is_flag=True, help="Show what the file says without its password.")
@click.pass_obj
def show(app: App, name: str | None, locked: bool) -> None:
    """Show a key: its address and the six words that others compare when they add you as a contact.

    The words stand for the address and the key to seal to, so the key is unlocked for them.
    """
    from ..keys import KeyStore

    file = KeyStore(app.home).open(name or app.settings.key)
    key = None if locked else file.unlock(_passwords(app).of(file.name))
    _show(app, file, key)


def _show(app: App, file: KeyFile, key: UnlockedKey | None) -> None:
    from ..contacts import fingerprint

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


@key_command.command("use", epilog="Example: dtledger key use ann")
@click.argument("name", shell_complete=complete.keys)
@click.option("--dry-run", is_flag=True, help="Check that there is such a key; change nothing.")
@click.pass_obj
def use(app: App, name: str, dry_run: bool) -> None:
    """Use the key NAME when none is named."""
    from ..config import Settings
    from ..keys import KeyStore

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
        app.say(f"{click.style('warning:', fg='yellow')} {overruled} names another, and counts before it.")
    app.data("key-use", name=name, address=file.address, dry_run=dry_run, overruled_by=overruled)

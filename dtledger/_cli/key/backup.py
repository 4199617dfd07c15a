"""`key backup`: all that a person needs on another machine, in one file."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ...vocabulary.numbers import number_of
from .. import complete
from ..app import App, rfc3339
from ..command import verb
from .options import FILE, passwords


@verb("backup", epilog="Example: dtledger key backup ann --to /media/stick/ann.backup")
@click.argument("name", required=False, shell_complete=complete.keys)
@click.option("--to", "target", type=FILE, required=True, metavar="FILE", help="The file to write, on another medium.")
@click.option("--dry-run", is_flag=True, help="Say what the backup would hold; write nothing.")
def backup(app: App, name: str | None, target: Path, dry_run: bool) -> None:
    """Save a key with its twins' secrets, and this home's contacts, deployments and settings, in one locked file.

    Its password opens it, so keep that apart from it. Make one anew after `twin mint`, `twin rekey` or a new password:
    `twin show` says when the last one lacks something. Custodians' keys are never in it.
    """
    from ...keys import KeyStore
    from ...keys.backup import make_backup, require_free

    file = KeyStore(app.home).open(name or app.settings.key)
    require_free(target)  # before a password is asked for
    key = file.unlock(passwords(app).of(file.name))
    twins = sum(len(each) for each in key.secrets.twins.values())
    words = f"the key {file.name} ({key.address}) with the secrets of {number_of(twins, 'twin')}"
    if dry_run:
        app.show(f"A backup in {target} would hold {words}.")
        app.data("key-backup", name=file.name, address=key.address, path=target, twins=twins, dry_run=True)
        return
    at = int(time.time())
    files = make_backup(app.home, key, file, target, at)
    app.show(f"{target} holds {words}, and {len(files)} other files of this home.")
    app.say("Its password opens it: keep that in another place. `dtledger key restore` puts it all back.")
    app.data(
        "key-backup",
        name=file.name,
        address=key.address,
        path=target,
        twins=twins,
        files=files,
        made_at=rfc3339(at),
        dry_run=False,
    )

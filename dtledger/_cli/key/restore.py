"""`key restore`: a new machine, from a backup."""

from __future__ import annotations

from pathlib import Path

import click

from ..app import App, rfc3339
from ..command import verb
from .options import FILE, passwords


@verb("restore", epilog="Example: dtledger key restore /media/stick/ann.backup")
@click.argument("file", type=FILE)
@click.option("--name", metavar="NAME", help="What the key shall be called here; by default as it was.")
@click.option("--dry-run", is_flag=True, help="Say what the file is of; open and write nothing.")
def restore(app: App, file: Path, name: str | None, dry_run: bool) -> None:
    """Put back what `key backup` saved: the key, and the contacts, deployments and settings that this home lacks.

    Nothing that is here is taken away: a key that is here gets what the backup has beside it, and a damaged file is
    set aside as NAME.json.damaged.
    """
    from ...keys import KeyStore
    from ...keys.backup import read_backup

    backup = read_backup(file)
    called = name or backup.name
    if dry_run:
        app.show(f"{file} is a backup of the key {backup.name}, made {app.time(backup.made_at)}.")
        app.data("key-restore", name=called, made_at=rfc3339(backup.made_at), dry_run=True)
        return
    store = KeyStore(app.home)
    _, files = backup.restore(store, passwords(app).of(called), name)
    address = store.open(called).address
    used = store.default() == called
    app.show(f"The key {called} ({address}) is here" + (", used when none is named." if used else "."))
    app.say(f"Beside it: {', '.join(files) if files else 'nothing, all of it was here'}.")
    app.data(
        "key-restore",
        name=called,
        address=address,
        used=used,
        files=files,
        made_at=rfc3339(backup.made_at),
        dry_run=False,
    )

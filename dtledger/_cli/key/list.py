"""`key list`: the keys of this home."""

from __future__ import annotations

from ...errors import KeyFileError
from ..app import App
from ..command import verb


@verb("list", epilog="Example: dtledger key list --json")
def list_(app: App) -> None:
    """List the home's keys. The one marked * is used when none is named."""
    from ...keys import KeyStore

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

"""`index rebuild`: read the ledger anew from its first block."""

from __future__ import annotations

from ..app import App
from ..command import verb
from .place import deployment_of, path_of, show


@verb("rebuild", epilog="Example: dtledger index rebuild")
def rebuild(app: App) -> None:
    """Read the ledger anew from nothing, and put that in the place of what was read before.

    The present index stays until the new one is whole. Nothing else is lost: every state comes from these events.
    """
    from ..._backend.index import rebuild as make

    path = path_of(app)
    app.home.prepare(app.home.ledger_cache)
    with app.progress("reading") as progress:
        found = make(app.settings.rpc_url, deployment_of(app), path, progress)
    show(app, "index-rebuild", path, found)

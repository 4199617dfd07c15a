"""`index status`: how far this machine has read the ledger."""

from __future__ import annotations

from pathlib import Path

from ...errors import UnreachableError
from ..app import App
from ..command import verb
from .place import path_of, show


@verb("status", epilog="Example: dtledger index status")
def status(app: App) -> None:
    """Say how far the ledger was read, how many events there are, and the digest over them; no node is asked.

    Two machines that read the same chain to the same block have the same digest, however they came to it.
    """
    from ..._backend.index import standing

    path = path_of(app)
    if isinstance(path, Path) and not path.exists():
        raise UnreachableError("The ledger was not read yet.", hint="`dtledger index rebuild` reads it.")
    show(app, "index-status", path, standing(path))

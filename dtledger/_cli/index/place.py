"""Where the profile's index lies, and how it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..app import App

if TYPE_CHECKING:
    from ..._backend.index import Standing
    from ..._backend.postgresql import Server
    from ...ledger import Deployment


def deployment_of(app: App) -> Deployment:
    """The profile's deployment."""
    from ..._backend.deployments import read_deployment

    return read_deployment(app.settings.deployment_path)


def path_of(app: App) -> Path | Server:
    """The index's file, or the database that it lies in."""
    from ...client.opening import index_place

    return index_place(app.settings, deployment_of(app))


def show(app: App, schema: str, path: Path | Server, found: Standing, **more: Any) -> None:
    """Where an index stands, for people and programs."""
    read = "nothing read yet" if found.block is None else f"read up to block {found.block:,}"
    app.show(f"{path}: {found.logs:,} events, {read}")
    app.show(f"digest {found.digest.hex()}")
    app.data(
        schema,
        file=str(path),
        block=found.block,
        block_hash="0x" + found.block_hash.hex() if found.block_hash else None,
        events=found.logs,
        digest=found.digest,
        **more,
    )

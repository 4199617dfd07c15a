"""The proofs of a development chain: its embedded custodians take them as services do, after a command that wrote."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DtledgerError

if TYPE_CHECKING:
    from ..client import Client
    from ..home import Home
    from ..ledger import Deployment
    from .app import App


def take(app: App, client: Client) -> None:
    """Take what a node that is no archive will not show later, and have a block remembered near what happened. What
    fails now is made up for after the next command, while the node has it."""
    from .._backend.evm import EvmLedger
    from .._backend.proof_file import ProofFile
    from .._backend.proof_source import NodeSource
    from ..audit.taking import ProofTaker
    from ..client.embedded import custodian_keys, unlock_custodian

    ledger = client.context.ledger
    if not isinstance(ledger, EvmLedger):
        return
    with suppress(DtledgerError), closing(ProofFile(_path(app.home, ledger.deployment))) as file:
        names = custodian_keys(app.home).names()
        payer = unlock_custodian(app.home, min(names)) if names else None
        ProofTaker(ledger, lambda: NodeSource(ledger.web3), file, payer).step()


def taken(app: App) -> list[bytes]:
    """The nodes of tries that were taken in this home."""
    from .._backend.proof_file import ProofFile

    path = _path(app.home, app.ledger.deployment)
    if not (app.settings.embedded and path.exists()):
        return []
    with closing(ProofFile(path)) as file:
        return file.nodes()


def _path(home: Home, deployment: Deployment) -> Path:
    return home.custodians / f"proofs-{deployment.id}.db"

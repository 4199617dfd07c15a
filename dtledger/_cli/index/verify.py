"""`index verify`: whether the chain has these events and no others."""

from __future__ import annotations

import click

from ..app import App
from ..audit.evidence import digest_of
from ..command import verb
from .place import path_of, show


@verb("verify", epilog="Example: dtledger index verify --head 0x5c31…")
@click.option("--head", metavar="HASH", help="The head's hash, as you know it from elsewhere.")
def verify(app: App, head: str | None) -> None:
    """Hold the index against the chain itself: every event in it is proved, and none is left out.

    The index is brought up to the head; then every block's header must lead there from the genesis, and each block that
    may hold an event must show all its receipts. A node that lied when the index was filled is found out by one that
    does not, or by the head that you pin. Exit code 4 if index and chain differ, 6 if it cannot be checked.
    """
    from ..._backend.index import require_logs, standing
    from ..._backend.proof_source import NodeSource
    from ...audit.chain import Chain
    from ...audit.logs import proved_logs

    ledger, path, pinned = app.ledger, path_of(app), digest_of(head)
    ledger.catch_up()
    with app.progress("checking") as progress:
        chain = Chain(NodeSource(ledger.web3, pinned), ledger.deployment, pinned)
        proved = proved_logs(chain, ledger.deployment, progress)
        count = require_logs(proved, path, chain.head.number)
    found = standing(path)
    app.say(
        f"{count:,} events up to block {chain.head.number:,}, 0x{chain.head.hash.hex()}: all proved, none left out."
    )
    show(app, "index-verify", path, found, proved=count, head=chain.head.hash, pinned=pinned is not None)

"""What things weigh, in bytes: on every node of the chain, in the block store, in the index that each client keeps."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dtledger._backend.call_codec import encode_call
from dtledger._backend.evm import EvmLedger
from dtledger._backend.index import rebuild
from dtledger._backend.node import connect
from dtledger.ledger import CONTRACTS, Call, calls

from . import crowding
from .bench import Bench
from .crowding import digest
from .figures import Rival, Row, at_most
from .ingesting import ingested
from .storing import RIVAL
from .world import World

TRANSFER = "a bare transaction"
LOGS = "the logs as the node sends them"


def calldata(bench: Bench) -> Row:
    """Without the four bytes that name the function."""
    said = calls.Contribution(2**31, 2**31, cohort=1_312, epsilon=1_250)
    update = encode_call(calls.commit_update(digest(), digest(), digest(), digest(), said))
    anchor = encode_call(calls.anchor_batch(digest(), 1_000_000, digest()))
    return Row(
        "arguments of a site's update of a model",
        len(update) - 4,
        "B",
        (at_most(160, "B"),),
        (Rival("of a batch's anchor", len(anchor) - 4),),
    )


def on_chain(bench: Bench, call: str) -> Row:
    """The signed transaction and its logs, which every node keeps for good; not its state."""
    world = bench.world()
    what, make = _CALLS[call]
    context = world.patient.context
    receipt = context.ledger.send(make(world), context.key)
    bare = context.ledger.heartbeat(context.key)
    node = connect(world.devnet.anvil.url)
    return Row(
        f"{what} on every node: the transaction and its logs",
        _kept(node, receipt.transaction),
        "B",
        rivals=(Rival(TRANSFER, _kept(node, bare.transaction)),),
        beside="without the node's state: a word of it is 32 B, and its place in the tree some hundreds",
    )


def _kept(node: Any, transaction: str) -> int:
    logs = node.eth.get_transaction_receipt(transaction)["logs"]
    sent = len(bytes(node.eth.get_raw_transaction(transaction)))
    return int(sent + sum(20 + 32 * len(log["topics"]) + len(bytes(log["data"])) for log in logs))


def _anchor(_: World) -> Call:
    return calls.anchor_batch(digest(), 1_000, digest())


def _grant(world: World) -> Call:
    consent = world.twin()
    word = world.patient.consents.word(consent.twin, world.terms())
    return calls.grant(consent.twin, consent.grantee, 7, word, digest())


_CALLS: dict[str, tuple[str, Callable[[World], Call]]] = {
    "anchor": ("an anchor of a batch of any size", _anchor),
    "grant": ("a grant", _grant),
}


def stored(bench: Bench) -> Row:
    """Of the run of `ingest`: manifest, custody block, index pages and the twin's state, each hour."""
    found = ingested(bench)
    return Row(
        f"a twin's hour of readings in the block store, {found.twins:,} twins in a batch",
        found.stored,
        "B",
        rivals=(Rival(RIVAL, found.rival_stored),),
        beside="two snapshots: the readings and the twin's state; with every page of the index that the batch wrote",
    )


def index(bench: Bench, where: str) -> Row:
    """What a client or custodian keeps of each event of the chain: on its disk, and folded in its memory."""
    world = bench.world()
    context = world.patient.context
    url = world.devnet.anvil.url
    bench.once("weighed", lambda: crowding.grants(world, world.twin().twin, bench.sizes.events // 5))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "index.db"
        logs = rebuild(url, context.deployment, path).logs
        figure = path.stat().st_size / logs if where == "disk" else _memory(url, context, path) / logs
    node = connect(url, 60)
    addresses = [context.deployment.contracts[name] for name in CONTRACTS[1:]]  # not of who governs
    found = node.provider.make_request(
        "eth_getLogs",  # type: ignore[arg-type]
        [{"address": addresses, "fromBlock": "0x0", "toBlock": "latest"}],
    )
    assert len(found["result"]) == logs, "the index has other events than the node"
    return Row(
        f"an event of the chain in a client's index, {where}, mostly grants",
        figure,
        "B",
        rivals=(Rival(LOGS, len(str(found["result"])) / logs),),
        beside=f"of {logs:,} events; every client and custodian keeps them all",
    )


def _memory(url: str, context: Any, path: Path) -> float:
    """Bytes that folding the cached events allocates and keeps."""
    with EvmLedger(url, context.deployment, path) as ledger:
        ledger.catch_up()
        tracemalloc.start()
        try:
            ledger.history()
            return float(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()


ROWS: dict[str, Callable[[Bench], Row]] = {
    "bytes-update": calldata,
    "bytes-anchor": partial(on_chain, call="anchor"),
    "bytes-grant": partial(on_chain, call="grant"),
    "bytes-stored": stored,
    "bytes-index": partial(index, where="disk"),
    "bytes-memory": partial(index, where="memory"),
}

"""Reading any Cancun EVM through one JSON-RPC node.

The node is asked for its head, its logs and the contracts' own answer; every state is folded from the logs. A node
that serves another chain id, genesis or code than the deployment's is refused at the first use.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from eth_abi.abi import decode as abi_decode
from eth_abi.exceptions import EncodingError
from web3 import Web3
from web3.exceptions import ContractLogicError, Web3Exception

from ..errors import UnreachableError
from ..ledger import CONTRACTS, Deployment, History, Tip, View
from ..ledger.events import Logged, Place
from ..policy import MalformedRequestError, Request
from ..types import Digest, Head
from ..vocabulary import Reason
from .artifacts import artifact
from .event_codec import decode_event
from .log_cache import LogCache, RawLog, schema_of
from .node import Translated, ask, connect, require_deployment
from .postgresql import Server

BLOCKS_AT_ONCE = 5_000
"""Blocks whose logs are asked for in one call."""


@dataclass(frozen=True, slots=True)
class Mined:
    """A node's receipt of a transaction that a block took; its logs in the node's words."""

    transaction: str
    block: int
    succeeded: bool
    gas: int
    logs: Sequence[Mapping[str, Any]]


class EvmReader:
    """The half of `EvmLedger` that sends nothing.

    Args:
        rpc_url: the node.
        deployment: the contracts, and the chain they are on.
        cache: a file or a server for the logs; none keeps them in memory.
        instant: each block is final at once; else the node is asked for the newest final one.
        unfinished: accept a deployment whose deployer still holds roles; for `migrations` alone.
    """

    def __init__(
        self,
        rpc_url: str,
        deployment: Deployment,
        cache: Path | Server | None = None,
        *,
        instant: bool = True,
        unfinished: bool = False,
    ) -> None:
        self._web3 = connect(rpc_url)
        self._deployment = deployment
        self._cache = LogCache(cache)
        self._former = self._of_predecessor(rpc_url, cache)
        self._history = self._new_history()
        self._read: Head | None = None
        """The block up to which the history is folded."""
        self._instant = instant
        self._identified = False
        self._unfinished = unfinished
        self._lock = threading.RLock()

    @property
    def deployment(self) -> Deployment:
        return self._deployment

    @property
    def web3(self) -> Web3:
        return self._web3

    @property
    def instant(self) -> bool:
        """Whether each block is final at once."""
        return self._instant

    def close(self) -> None:
        self._cache.close()
        if self._former is not None:
            self._former.close()

    def _of_predecessor(self, rpc_url: str, cache: Path | Server | None) -> EvmReader | None:
        """The deployment before, on the same node, its logs in a file or a schema beside."""
        before = self._deployment.predecessor
        if before is None:
            return None
        if isinstance(cache, Server):
            return EvmReader(rpc_url, before, replace(cache, schema=schema_of(before.id)))
        return EvmReader(rpc_url, before, cache.with_name(f"{before.id}.db") if cache else None)

    def _new_history(self) -> History:
        former = self._former
        return History((lambda: former._history) if former else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def head(self) -> Head:
        self._identify()
        return self._block("latest")

    def _block(self, which: Any) -> Head:
        with Translated():
            block = self._web3.eth.get_block(which)
            return Head(block["number"], Digest(bytes(block["hash"])), block["timestamp"])

    def _identify(self) -> None:
        """Refuse a node of another chain, once for each connection and whenever the chain seems changed."""
        if not self._identified:
            require_deployment(self._web3, self._deployment, unfinished=self._unfinished)
            self._identified = True

    def history(self) -> History:
        with self._lock:
            self._read_to_head()
            return self._history

    def view(self, block: int | None = None) -> View:
        with self._lock:
            head = self._read_to_head()
            return self._history.at(head.number if block is None else block)

    def tip(self) -> Tip:
        with self._lock:
            head = self._read_to_head()
            view = self._history.at(head.number)
            return Tip(head, view, view if self._instant else view.earlier(self.final()))

    def final(self) -> int:
        """The number of the newest final block. Raises UnreachableError: the node does not say."""
        try:
            return self._block("finalized").number
        except UnreachableError as error:
            raise UnreachableError(
                "The ledger's node does not say which block is final.",
                hint="If each block of this chain is final at once: `dtledger config set finality instant`.",
            ) from error

    def _read_to_head(self) -> Head:
        """Bring the history up to the node's head, and return that."""
        self._identify()
        head = self._block("latest")
        self._read_to(head)
        return head

    def _read_to(self, head: Head) -> None:
        """The deployment before is read to the same block first: asked for its own, a node may say an older one."""
        if head == self._read:
            return
        if self._former is not None:
            with self._former._lock:
                self._former._identify()
                self._former._read_to(head)
        self._drop_if_changed()
        self._fetch(head)
        self._fold(head)

    def _drop_if_changed(self) -> None:
        """Throw away what was read if the chain no longer has the newest block that was read."""
        seen = self._cache.seen()
        known = [seen] if seen else []
        if self._read:
            known.append((self._read.number, self._read.hash))
        if not all(self._has(block, block_hash) for block, block_hash in known):
            self._identified = False
            self._identify()
            self._cache.clear()
            self._history, self._read = self._new_history(), None

    def _has(self, block: int, block_hash: bytes) -> bool:
        try:
            found = self._web3.eth.get_block(block)
        except (Web3Exception, OSError):
            return False
        return bytes(found["hash"]) == block_hash

    def catch_up(self, progress: Callable[[int, int], None] | None = None) -> Head:
        """Bring the cache up to the head, which is returned; nothing is folded. `progress` is told blocks read, and
        all."""
        with self._lock:
            self._identify()
            head = self._block("latest")
            self._drop_if_changed()
            self._fetch(head, progress)
            return head

    def _fetch(self, head: Head, progress: Callable[[int, int], None] | None = None) -> None:
        """Bring the cache up to the head."""
        seen = self._cache.seen()
        start = seen[0] + 1 if seen else self._deployment.block
        addresses = [self._deployment.contracts[name] for name in CONTRACTS[1:]]
        while start <= head.number:
            end = min(start + BLOCKS_AT_ONCE - 1, head.number)
            with Translated():
                wanted = {"address": addresses, "fromBlock": hex(start), "toBlock": hex(end)}
                logs = [self._raw(log) for log in ask(self._web3, "eth_getLogs", wanted)]
            end_hash = head.hash if end == head.number else self._block(end).hash
            self._cache.extend(logs, end, end_hash)
            start = end + 1
            if progress:
                progress(end, head.number)

    def _raw(self, log: Mapping[str, Any]) -> RawLog:
        block, stamp = int(log["blockNumber"], 16), log.get("blockTimestamp")
        at = self._block(block).at if stamp is None else int(stamp, 16)
        topics = bytes.fromhex("".join(topic[2:] for topic in log["topics"]))
        return RawLog(block, int(log["logIndex"], 16), at, topics, bytes.fromhex(log["data"][2:]))

    def _fold(self, head: Head) -> None:
        for raw in self._cache.since(self._read.number if self._read else -1):
            if raw.block > head.number:
                break
            topics = [raw.topics[place : place + 32] for place in range(0, len(raw.topics), 32)]
            event = decode_event(topics, raw.data)
            if event is not None:
                self._history.add(Logged(Place(raw.block, raw.place), raw.at, event))
        self._read = head

    def check(self, request: Request, earliest: int, latest: int) -> Reason:
        self._identify()
        question = (
            request.twin,
            request.requester,
            request.grantee,
            request.number,
            int(request.action),
            int(request.purpose or 0),
            request.bit,
            request.period.start,
            request.period.end,
        )
        try:
            data = artifact("ConsentRegistry").functions["check"].encode((question, earliest, latest))
            with Translated(ContractLogicError):
                registry = Web3.to_checksum_address(self._deployment.contracts["ConsentRegistry"])
                answer = self._web3.eth.call({"to": registry, "data": data})
        except (ContractLogicError, EncodingError) as error:
            raise MalformedRequestError("the contract refuses the request as malformed") from error
        return Reason(abi_decode(["uint8"], bytes(answer))[0])

    def found(self, sent: bytes) -> Mined | None:
        """The node's receipt of a transaction; None if no block took it."""
        told = ask(self._web3, "eth_getTransactionReceipt", f"0x{sent.hex()}")
        if told is None or told["blockNumber"] is None:
            return None
        block, status, gas = (int(told[each], 16) for each in ("blockNumber", "status", "gasUsed"))
        return Mined(told["transactionHash"], block, status == 1, gas, told["logs"])

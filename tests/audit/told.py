"""A chain that has the logs which a ledger's events came from: the bridge from a world in memory to `audit.known`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, is_dataclass
from types import SimpleNamespace
from typing import Any

from eth_abi.abi import encode as abi_encode

from dtledger._backend.artifacts import artifact
from dtledger._backend.event_codec import _RENAMED, _snake
from dtledger.audit.proofs import Log
from dtledger.ledger import CONTRACTS
from dtledger.ledger.events import Logged
from dtledger.ledger.messages import word
from dtledger.policy import Grant
from dtledger.testing import World

_SIGNATURES = {
    signature.name: (contract, signature)
    for contract in CONTRACTS[1:]
    for signature in artifact(contract).events.values()
}


class Told:
    """What `audit.known` asks of a chain: the logs of a contract that have a topic."""

    is_whole = True

    def __init__(self, world: World) -> None:
        self.deployment = world.ledger.deployment
        self._logs = [(logged, *_log(logged)) for logged in world.ledger.history().logged]

    def logs_with(self, contract: str, *topics: bytes) -> Iterator[tuple[Any, Log]]:
        for logged, by, log in self._logs:
            if by == contract and all(each in log.topics for each in topics):
                yield SimpleNamespace(number=logged.place.block, at=logged.at), log


def _log(logged: Logged) -> tuple[str, Log]:
    """The contract that made it, and the log."""
    contract, signature = _SIGNATURES[type(logged.event).__name__]
    names = [_snake(each) for each in signature.names]
    renamed = [_RENAMED.get((signature.name, each), each) for each in names]
    values = [_plain(getattr(logged.event, each, 0)) for each in renamed]
    topics = [word(each) for each, indexed in zip(values, signature.indexed, strict=True) if indexed]
    inside = [
        (kind, each)
        for kind, each, indexed in zip(signature.types, values, signature.indexed, strict=True)
        if not indexed
    ]
    data = abi_encode([kind for kind, _ in inside], [each for _, each in inside])
    return contract, Log(logged.place.index, b"", (signature.selector, *topics), data)


def _plain(value: Any) -> Any:
    if isinstance(value, Grant):
        return value.pack()
    return astuple(value) if is_dataclass(value) and not isinstance(value, type) else value

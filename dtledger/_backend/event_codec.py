"""From a contract's logs to the events of `dtledger.ledger.events`, by name and by the order of their fields."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cache
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.exceptions import DecodingError

from ..encoding import address
from ..errors import ChainMismatchError
from ..ledger import CONTRACTS, events
from ..ledger.messages import word
from ..policy import Grant
from .artifacts import Signature, artifact

_CLASSES = {
    name: kind for name, kind in vars(events).items() if isinstance(kind, type) and kind.__module__ == events.__name__
}
_SIGNATURES: dict[bytes, Signature] = {}


def _signatures() -> dict[bytes, Signature]:
    if not _SIGNATURES:
        for contract in CONTRACTS[1:]:
            _SIGNATURES.update(artifact(contract).events)
    return _SIGNATURES


def decode_event(topics: list[bytes], data: bytes) -> events.Event | None:
    """The event of a log, or None for one that no state depends on (`Locked`, approvals).

    Raises:
        ChainMismatchError: the log is not one of these contracts'.
    """
    signature = _signatures().get(topics[0])
    kind = _CLASSES.get(signature.name) if signature else None
    if signature is None or kind is None:
        return None
    inside = [kind for kind, indexed in zip(signature.types, signature.indexed, strict=True) if not indexed]
    topic = iter(topics[1:])
    try:
        plain = iter(abi_decode(inside, data))
        values = [
            _value(name, each, _indexed(each, next(topic)) if indexed else next(plain))
            for name, each, indexed in zip(signature.names, signature.types, signature.indexed, strict=True)
        ]
    except (StopIteration, DecodingError) as error:
        raise ChainMismatchError(f"a log {signature.name} has too few fields") from error
    by_name = dict(zip((_snake(name) for name in signature.names), values, strict=True))
    renamed = {_RENAMED.get((signature.name, name), name): value for name, value in by_name.items()}
    return kind(**{field.name: renamed[field.name] for field in fields(kind)})  # type: ignore[no-any-return]


def selector(kind: type) -> bytes:
    """The first topic of an event."""
    return _by_name()[kind.__name__][1].selector


def topics(event: events.Event) -> tuple[str, list[bytes]]:
    """The contract that made an event, and the topics of its log."""
    contract, signature = _by_name()[type(event).__name__]
    names = [_snake(name) for name, indexed in zip(signature.names, signature.indexed, strict=True) if indexed]
    values = [getattr(event, _RENAMED.get((signature.name, name), name)) for name in names]
    return contract, [signature.selector, *map(word, values)]


@cache
def _by_name() -> dict[str, tuple[str, Signature]]:
    """Event → its contract and signature."""
    return {each.name: (name, each) for name in CONTRACTS[1:] for each in artifact(name).events.values()}


_RENAMED = {
    ("Transfer", "from"): "sender",
    ("Transfer", "token_id"): "twin",
    ("Moved", "from"): "sender",
    ("BatchAnchored", "index_digest"): "index",
}


@cache  # a contract has few names, and each event some of them
def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: "_" + found[1].lower(), name)


def _indexed(kind: str, topic: bytes) -> Any:
    """The value of a topic. The ABI's own decoder does the same in ten times the time.

    Raises:
        ChainMismatchError: it is none of its kind.
    """
    if kind == "bytes32":
        return topic
    bits, value = 160 if kind == "address" else int(kind.removeprefix("uint")), int.from_bytes(topic)
    if len(topic) != 32 or value >> bits:
        raise ChainMismatchError(f"a topic is no {kind}")
    return "0x" + topic[12:].hex() if kind == "address" else value


def _value(name: str, kind: str, value: Any) -> Any:
    if kind == "address":
        return address(value)
    if kind == "uint256" and name == "grant":
        return Grant.unpack(value)
    if kind.startswith("("):
        return events.Card(*value) if name == "card" else events.Emergency(*_tuple(kind, value))
    return value


def _tuple(kind: str, values: Any) -> list[Any]:
    """A struct's fields, each as it would be alone. Structs hold no structs."""
    return [_value("", each, value) for each, value in zip(kind[1:-1].split(","), values, strict=True)]

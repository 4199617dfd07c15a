"""ABI and bytecode of the contracts, as the wheel carries them (made by `scripts/generate`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode

from ..encoding import keccak
from ..ledger import Call, Deployment
from ..types import Address


@dataclass(frozen=True, slots=True)
class Signature:
    """A function, event or error: its name, its inputs' names and ABI types, and its 4- or 32-byte selector."""

    name: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    indexed: tuple[bool, ...]
    selector: bytes

    def encode(self, arguments: tuple[Any, ...]) -> bytes:
        return self.selector[:4] + abi_encode(self.types, arguments)

    def decode(self, data: bytes) -> tuple[Any, ...]:
        return tuple(abi_decode(self.types, data))


@dataclass(frozen=True, slots=True)
class Field:
    """Where a field of a struct stands: the slot, counted from the struct's first, and bytes from that slot's end."""

    slot: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Variable:
    """Where a contract keeps a variable, and the fields of the struct that it is or, as a mapping, leads to."""

    slot: int
    fields: dict[str, Field]


@dataclass(frozen=True, slots=True)
class Artifact:
    """One contract as it was compiled. `bytecode` creates it."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: bytes
    functions: dict[str, Signature]
    events: dict[bytes, Signature]
    errors: dict[bytes, Signature]
    constructor: tuple[str, ...]


def _abi_type(entry: dict[str, Any]) -> str:
    kind: str = entry["type"]
    if kind.startswith("tuple"):
        return "(" + ",".join(_abi_type(each) for each in entry["components"]) + ")" + kind[5:]
    return kind


def _signature(entry: dict[str, Any]) -> Signature:
    types = tuple(_abi_type(each) for each in entry["inputs"])
    return Signature(
        name=entry["name"],
        names=tuple(each["name"] for each in entry["inputs"]),
        types=types,
        indexed=tuple(each.get("indexed", False) for each in entry["inputs"]),
        selector=keccak(f"{entry['name']}({','.join(types)})".encode()),
    )


def _raw(name: str) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(resources.files("dtledger").joinpath(f"_artifacts/{name}.json").read_text())
    return raw


def runtime(name: str) -> dict[str, Any]:
    """A contract's runtime code as the compiler gives it: `object` in hex and `immutableReferences`."""
    raw = _raw(name)
    return {"object": raw["deployedBytecode"], "immutableReferences": raw["immutableReferences"]}


@cache
def layout(name: str) -> dict[str, Variable]:
    """Where a contract of this code keeps what, by the variable's name."""
    return {
        label: Variable(said["slot"], {field: Field(*place) for field, place in said["fields"].items()})
        for label, said in _raw(name)["storage"].items()
    }


@cache
def artifact(name: str) -> Artifact:
    """The artifact of a contract by its name."""
    raw = _raw(name)
    entries = raw["abi"]

    def of(kind: str) -> list[Signature]:
        return [_signature(entry) for entry in entries if entry["type"] == kind]

    constructor: dict[str, Any] = next((entry for entry in entries if entry["type"] == "constructor"), {"inputs": []})
    return Artifact(
        name=name,
        abi=entries,
        bytecode=bytes.fromhex(raw["bytecode"].removeprefix("0x")),
        functions={each.name: each for each in of("function")},
        events={each.selector: each for each in of("event")},
        errors={each.selector[:4]: each for each in of("error")},
        constructor=tuple(_abi_type(each) for each in constructor["inputs"]),
    )


def spelled_out(deployment: Deployment, call: Call) -> tuple[Address, bytes]:
    """Where a call goes and its calldata. A call among its arguments becomes such a pair too (`calls.schedule`).

    Raises:
        eth_abi.exceptions.EncodingError: an argument does not fit its type.
    """
    arguments: list[Any] = []
    for each in call.arguments:
        arguments += spelled_out(deployment, each) if isinstance(each, Call) else [each]
    function = artifact(call.contract).functions[call.function]
    return deployment.contracts[call.contract], function.encode(tuple(arguments))

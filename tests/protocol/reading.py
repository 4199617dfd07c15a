"""Vectors as the library's values: DAG-JSON read, and the deployment that they are of."""

from __future__ import annotations

import base64
from typing import Any

from dtledger.encoding import CID
from dtledger.ledger import CONTRACTS, Deployment
from dtledger.testing import MemoryKey
from dtledger.types import ZERO_ADDRESS, Address, Digest
from tests import vectors

PROTOCOL = vectors.load("protocol.json")

_OURS = PROTOCOL["deployment"]
DEPLOYMENT = Deployment(
    _OURS["chainId"],
    Digest(bytes.fromhex(_OURS["genesis"])),
    dict.fromkeys(CONTRACTS, ZERO_ADDRESS) | {name: Address(at) for name, at in _OURS["contracts"].items()},
)

KEYS = {who: MemoryKey(who, bytes.fromhex(key["private"])) for who, key in PROTOCOL["keys"].items()}


def plain(value: Any) -> Any:
    """The value that stands in DAG-JSON."""
    match value:
        case {"/": {"bytes": str(text)}}:
            return base64.b64decode(text + "=" * (-len(text) % 4))
        case {"/": str(text)}:
            return CID.decode(text)
        case dict():
            return {name: plain(each) for name, each in value.items()}
        case list():
            return [plain(each) for each in value]
    return value


def of(text: str) -> bytes:
    """The bytes that stand in hex."""
    return bytes.fromhex(text)

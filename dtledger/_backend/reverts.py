"""From a node's account of a revert to the error of `dtledger.ledger.rejections`."""

from __future__ import annotations

from typing import Any

from eth_utils import to_checksum_address
from web3.exceptions import Web3RPCError

from ..errors import DtledgerError
from ..ledger import CONTRACTS
from ..ledger.rejections import rejection
from .artifacts import artifact


def rejection_of(error: Exception) -> DtledgerError:
    """The `LedgerRejection` of a revert, or `UnreachableError` for what is not one."""
    data = getattr(error, "data", None)
    if data is None and isinstance(error, Web3RPCError):
        response = error.rpc_response or {}
        data = response.get("error", {}).get("data")
    if isinstance(data, str) and data.startswith("0x") and len(data) >= 10:
        raw = bytes.fromhex(data[2:])
        for contract in CONTRACTS:
            found = artifact(contract).errors.get(raw[:4])
            if found is not None:
                values = map(_plain, found.names, found.types, found.decode(raw[4:]))
                return rejection(found.name, dict(zip(found.names, values, strict=True)))
    message = str(error)
    if "insufficient funds" in message.lower():
        return rejection("insufficient funds", {})
    return rejection("reverted", {})


def _plain(name: str, kind: str, value: Any) -> Any:
    """A value of a Solidity error as Python has it: an address by its checksum, the name of a field as text."""
    if kind == "address":
        return to_checksum_address(value)
    return value.rstrip(b"\0").decode() if (name, kind) == ("field", "bytes32") else value

"""From a node's account of a revert to the error of `dtledger.ledger.rejections`."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from eth_abi.exceptions import DecodingError
from eth_utils import to_checksum_address
from web3.exceptions import ContractLogicError, Web3RPCError

from ..errors import DtledgerError, LedgerRejection, UnreachableError
from ..ledger import CONTRACTS
from ..ledger.rejections import rejection
from .artifacts import artifact


def rejection_of(error: Exception) -> DtledgerError:
    """The `LedgerRejection` of a revert, or `UnreachableError` for what is not one. The node may say anything."""
    with suppress(ValueError, AttributeError, DecodingError):
        if (told := _told(error)) is not None:
            return told
    message = str(error).lower()
    if "insufficient funds" in message:
        return rejection("insufficient funds", {})
    if isinstance(error, ContractLogicError) or "revert" in message:
        return rejection("reverted", {})
    return UnreachableError(
        f"The ledger's node does not take the transaction ({type(error).__name__}).",
        hint="Look at the node, and whether another process sends with the same key; then try again.",
    )


def _told(error: Exception) -> DtledgerError | None:
    """What the revert's data say, if they are one of our contracts' errors."""
    data = getattr(error, "data", None)
    if data is None and isinstance(error, Web3RPCError):
        response = error.rpc_response or {}
        data = response.get("error", {}).get("data")
    if isinstance(data, str) and data.startswith("0x") and len(data) >= 10:
        return _known(bytes.fromhex(data[2:]))
    return None


def refusal_of(raw: bytes) -> LedgerRejection:
    """The `LedgerRejection` of a revert's data, whatever they are."""
    with suppress(ValueError, DecodingError):
        if (told := _known(raw)) is not None:
            return told
    return rejection("reverted", {})


def _known(raw: bytes) -> LedgerRejection | None:
    """What the data say, if they are one of our contracts' errors."""
    for contract in CONTRACTS:
        found = artifact(contract).errors.get(raw[:4])
        if found is not None:
            values = map(_plain, found.names, found.types, found.decode(raw[4:]))
            return rejection(found.name, dict(zip(found.names, values, strict=True)))
    return None


def _plain(name: str, kind: str, value: Any) -> Any:
    """A value of a Solidity error as Python has it: an address by its checksum, the name of a field as text."""
    if kind == "address":
        return to_checksum_address(value)
    return value.rstrip(b"\0").decode() if (name, kind) == ("field", "bytes32") else value

"""Calls as bytes: what a signed call looks like on its way to whoever carries it, and back."""

from __future__ import annotations

from typing import Any

from eth_abi.exceptions import DecodingError

from ..encoding import address
from ..errors import InputError
from ..ledger import Call
from .artifacts import artifact

_NOT_A_CALL = "These bytes are no call of that contract."


def encode_call(call: Call) -> bytes:
    """Selector and arguments, as the EVM has them."""
    return artifact(call.contract).functions[call.function].encode(call.arguments)


def decode_call(contract: str, data: bytes) -> Call:
    """The call that `encode_call` wrote.

    Raises:
        InputError: it is none, or not spelled as a compiler would.
    """
    try:
        found = next(each for each in artifact(contract).functions.values() if each.selector[:4] == data[:4])
        arguments = found.decode(data[4:])
        if found.encode(arguments) != data:
            raise InputError(_NOT_A_CALL)
    except (StopIteration, DecodingError, FileNotFoundError, OverflowError) as error:
        raise InputError(_NOT_A_CALL) from error
    return Call(contract, found.name, tuple(map(_plain, arguments)))


def _plain(value: Any) -> Any:
    """Addresses by their checksums; no text is an argument of any call."""
    if isinstance(value, str):
        return address(value)
    return tuple(map(_plain, value)) if isinstance(value, tuple | list) else value

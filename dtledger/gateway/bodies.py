"""Bodies of requests as JSON, and what the interface's page says of them."""

from __future__ import annotations

from typing import Any

from .._backend.files import parse_json
from ..encoding import CID
from ..errors import InputError, IntegrityError
from ..ledger.lanes import Carried

MOST_CALL_BYTES = 2**18
"""Most bytes of a body."""
MOST_CALLS = 200
"""Most calls in one."""


def json_of(summary: str, description: str = "", example: Any = None) -> dict[str, Any]:
    """What the interface's page says of an endpoint whose body is JSON."""
    body: dict[str, Any] = {"schema": {"type": "object"}}
    if example is not None:
        body["example"] = example
    extra = {"requestBody": {"required": True, "content": {"application/json": body}}}
    return {"summary": summary, "description": description, "openapi_extra": extra}


def read_json(body: bytes, fields: dict[str, type]) -> dict[str, Any]:
    """An object with just these fields, each of its kind.

    Raises:
        InputError: the body is none.
    """
    try:
        said = parse_json(body, MOST_CALL_BYTES)
    except ValueError:
        said = None
    if not isinstance(said, dict) or said.keys() != fields.keys():
        raise InputError(f"The body is JSON: an object with {', '.join(fields)}.")
    wrong = [name for name, kind in fields.items() if type(said[name]) is not kind]
    if wrong:
        raise InputError(f"{wrong[0]} is not of the right kind.")
    return said


def read_calls(body: bytes) -> list[Carried]:
    """Calls as [[contract, data in hex], …], at most `MOST_CALLS`.

    Raises:
        InputError: the body is none.
    """
    try:
        said = parse_json(body, MOST_CALL_BYTES)
    except ValueError:
        said = None
    if not isinstance(said, list) or not 0 < len(said) <= MOST_CALLS:
        raise InputError(f"The body is JSON: a list of calls, {MOST_CALLS} at most.")
    for each in said:
        if not (isinstance(each, list) and len(each) == 2 and all(isinstance(part, str) for part in each)):
            raise InputError("A call is [contract, data].")
    return [Carried(contract, hex_bytes(data)) for contract, data in said]


def hex_bytes(text: str) -> bytes:
    """Bytes from hex, with or without 0x. Raises InputError."""
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise InputError("Bytes are written in hex.") from None


def read_cid(text: str) -> CID:
    """A CID from its text. Raises InputError."""
    try:
        return CID.decode(text)
    except IntegrityError:
        raise InputError("That is no CID of a block here.") from None

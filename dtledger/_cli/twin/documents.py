"""What people hand each other as a JSON file: it names what it is, and the deployment that it is for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ...errors import InputError

T = TypeVar("T")


def document_bytes(schema: str, deployment: str, **fields: Any) -> bytes:
    """A file of that schema."""
    return (json.dumps({"schema": schema, "deployment": deployment, **fields}, indent=2) + "\n").encode()


def read_document(
    path: Path, schema: str, deployment: str, parse: Callable[[Any], T], none: InputError, most: int = 65_536
) -> T:
    """What `parse` makes of a file of that schema, of at most so many bytes.

    Raises:
        InputError: it cannot be read, is none (then `none`), or is for another deployment.
    """
    from ..._backend.files import parse_json

    try:
        with path.open("rb") as file:
            document = parse_json(file.read(most + 1), most)
        if document["schema"] != schema:
            raise ValueError("another schema")
        said, read = document["deployment"], parse(document)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError):
        raise none from None
    if said != deployment:
        raise InputError(
            f"{path} is for the deployment {said}, this profile's is {deployment}.",
            hint="Choose another profile with --profile.",
        )
    return read


def hex_bytes(text: str) -> bytes:
    """Bytes from hex, with or without 0x. Raises ValueError."""
    return bytes.fromhex(text.removeprefix("0x"))

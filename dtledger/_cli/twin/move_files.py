"""The two files of a move: what the recipient signs, and the secrets on their way to it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import InputError
from ..app import App
from .documents import document_bytes, hex_bytes, read_document

if TYPE_CHECKING:
    from ...client import Acceptance, Handover

ACCEPTANCE = "dtledger/twin-acceptance/1"
HANDOVER = "dtledger/twin-handover/1"

_MOST_BYTES = 1 << 20

T = TypeVar("T")


def write_acceptance(app: App, path: Path, acceptance: Acceptance) -> None:
    _write(
        app,
        path,
        ACCEPTANCE,
        twin=acceptance.twin,
        to=acceptance.to,
        counter=acceptance.counter,
        deadline=acceptance.deadline,
        signature="0x" + acceptance.signature.hex(),
        key=base64.b64encode(acceptance.key).decode(),
        key_signature="0x" + acceptance.key_signature.hex(),
    )


def read_acceptance(app: App, path: Path) -> Acceptance:
    """Raises InputError: it cannot be read, is none, or is for another deployment."""
    from ...client import Acceptance
    from ...encoding import address

    def parse(document: Any) -> Acceptance:
        return Acceptance(
            int(document["twin"]),
            address(document["to"]),
            int(document["counter"]),
            int(document["deadline"]),
            hex_bytes(document["signature"]),
            base64.b64decode(document["key"], validate=True),
            hex_bytes(document["key_signature"]),
        )

    return _read(app, path, ACCEPTANCE, parse)


def write_handover(app: App, path: Path, handover: Handover) -> None:
    """Synced before this returns: the move may follow."""
    _write(
        app,
        path,
        HANDOVER,
        twin=handover.twin,
        owner=handover.owner,
        to=handover.to,
        sealed=base64.b64encode(handover.sealed).decode(),
        signature="0x" + handover.signature.hex(),
    )


def read_handover(app: App, path: Path) -> Handover:
    """Raises InputError as `read_acceptance`."""
    from ...client import Handover
    from ...encoding import address

    def parse(document: Any) -> Handover:
        return Handover(
            int(document["twin"]),
            address(document["owner"]),
            address(document["to"]),
            base64.b64decode(document["sealed"], validate=True),
            hex_bytes(document["signature"]),
        )

    return _read(app, path, HANDOVER, parse)


def require_writable(app: App, path: Path, schema: str) -> None:
    """An older file of the same kind is written over; anything else is not.

    Raises:
        InputError: the file is something else.
    """
    if path.exists():
        _read(app, path, schema, lambda document: None)


def _write(app: App, path: Path, schema: str, **fields: Any) -> None:
    from ..._backend.files import write_atomically

    document = document_bytes(schema, app.client.context.deployment.id, **fields)
    write_atomically(path, document, mode=0o644)


def _read(app: App, path: Path, schema: str, parse: Callable[[Any], T]) -> T:
    return read_document(path, schema, app.client.context.deployment.id, parse, _none(path, schema), _MOST_BYTES)


def _none(path: Path, schema: str) -> InputError:
    if schema == ACCEPTANCE:
        return InputError(f"{path} is nobody's consent to take a twin.", hint="`twin move N --accept-out` writes it.")
    return InputError(f"{path} hands no twin over.", hint="`twin move --accepted … --handover-out` writes it.")

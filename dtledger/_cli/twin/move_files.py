"""The two files of a move: what the recipient signs, and the secrets on their way to it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from ..app import App

if TYPE_CHECKING:
    from ...client import Acceptance, Handover

ACCEPTANCE = "dtledger/twin-acceptance/1"
HANDOVER = "dtledger/twin-handover/1"

_MOST_BYTES = 1 << 20


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

    document = _read(app, path, ACCEPTANCE)
    try:
        return Acceptance(
            int(document["twin"]),
            address(document["to"]),
            int(document["counter"]),
            int(document["deadline"]),
            _hex(document["signature"]),
            base64.b64decode(document["key"], validate=True),
            _hex(document["key_signature"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _none(path, ACCEPTANCE) from None


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

    document = _read(app, path, HANDOVER)
    try:
        return Handover(
            int(document["twin"]),
            address(document["owner"]),
            address(document["to"]),
            base64.b64decode(document["sealed"], validate=True),
            _hex(document["signature"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _none(path, HANDOVER) from None


def require_writable(app: App, path: Path, schema: str) -> None:
    """An older file of the same kind is written over; anything else is not.

    Raises:
        InputError: the file is something else.
    """
    if path.exists():
        _read(app, path, schema)


def _write(app: App, path: Path, schema: str, **fields: Any) -> None:
    from ..._backend.files import write_atomically

    document = {"schema": schema, "deployment": app.client.context.deployment.id, **fields}
    write_atomically(path, (json.dumps(document, indent=2) + "\n").encode(), mode=0o644)


def _read(app: App, path: Path, schema: str) -> dict[str, Any]:
    from ..._backend.files import parse_json

    try:
        document = parse_json(path.read_bytes(), _MOST_BYTES)
        if not isinstance(document, dict) or document["schema"] != schema:
            raise ValueError("another schema")
        deployment = document["deployment"]
    except OSError as error:
        raise InputError(f"The file {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError):
        raise _none(path, schema) from None
    if deployment != app.client.context.deployment.id:
        raise InputError(
            f"{path} is for the deployment {deployment}, this profile's is {app.client.context.deployment.id}.",
            hint="Choose another profile with --profile.",
        )
    return document


def _none(path: Path, schema: str) -> InputError:
    if schema == ACCEPTANCE:
        return InputError(f"{path} is nobody's consent to take a twin.", hint="`twin move N --accept-out` writes it.")
    return InputError(f"{path} hands no twin over.", hint="`twin move --accepted … --handover-out` writes it.")


def _hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))

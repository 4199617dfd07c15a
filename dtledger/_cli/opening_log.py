"""The log of openings: whom this home's keys showed whose rounds, and what they were shown.

An opening says who was trained on, which is health data: so both sides keep account of it, the site before it hands
out the word, the auditor before it reads. One line of JSON an opening, in a file a deployment; each names the SHA-256
of the line before, so that one taken out of the middle is missed. It is its holder's own account: whoever can write the
file can write it anew.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import DtledgerError, IntegrityError
from .app import App, rfc3339

if TYPE_CHECKING:
    from ..models.opening import Opening
    from ..types import Address

Did = Literal["shown", "read"]
_FIRST = hashlib.sha256(b"").hexdigest()


def note(app: App, did: Did, opening: Opening, auditor: Address, word: str) -> None:
    """Add a line: this key showed or read an opening, which `word` names.

    Raises:
        DtledgerError: it cannot be written; then nothing is shown or read.
    """
    from .._backend.files import locked, write_atomically

    path = _path(app)
    app.home.prepare(path.parent)
    with locked(path):
        before = path.read_bytes() if path.exists() else b""
        last = before.splitlines()[-1] if before else None
        line = {
            "at": rfc3339(app.client.context.clock()),
            "did": did,
            "key": app.client.address,
            "model": opening.model,
            "round": opening.round,
            "site": opening.site,
            "auditor": auditor,
            "twins": len(opening.shown),
            "opening": word,
            "previous": hashlib.sha256(last).hexdigest() if last is not None else _FIRST,
        }
        write_atomically(path, before + json.dumps(line).encode() + b"\n")


def lines(app: App) -> list[dict[str, Any]]:
    """Every line, oldest first.

    Raises:
        IntegrityError: one is missing or changed.
    """
    path, found, previous = _path(app), [], _FIRST
    try:
        written = path.read_bytes().splitlines() if path.exists() else []
    except OSError as error:
        raise DtledgerError(f"{path} cannot be read: {error.strerror}.") from error
    for number, line in enumerate(written, start=1):
        try:
            told = json.loads(line)
            if told["previous"] != previous:
                raise ValueError("another line stood before")
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(f"the log of openings is damaged at line {number}: {path}") from error
        previous = hashlib.sha256(line).hexdigest()
        found.append(told)
    return found


def _path(app: App) -> Path:
    return app.home.openings / f"{app.client.context.deployment.id}.jsonl"

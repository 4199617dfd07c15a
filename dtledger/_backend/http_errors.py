"""Errors on their way over HTTP: one table of statuses, one small body, and back.

The body is canonical JSON (sorted keys, no blanks): `error`, the class's name; `text` and `hint`; `reason`, the name of
a `Reason`, `as_of`, `limit`, `block` and `party` where there are such. What a service says of its own inside (a path, a
key, a stack) stays in its log: such an error goes out as a sentence that says only that.

>>> status, body = to_http(AccessDeniedError("NO_CONSENT", reason=Reason.NO_GRANT))
>>> status, type(from_http(status, body, "the custodian")).__name__
(403, 'AccessDeniedError')
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import (
    AccessDeniedError,
    BusyError,
    CannotCheckError,
    ChainMismatchError,
    DtledgerError,
    HeadTooOldError,
    InputError,
    IntegrityError,
    KeyFileError,
    LedgerRejection,
    LimitPassedError,
    UnreachableError,
)
from ..vocabulary import Reason
from .files import parse_json

__all__ = ["MOST_BYTES", "DiskFullError", "SlowRequestError", "TooLargeError", "from_http", "status_of", "to_http"]

MOST_BYTES = 8_192
"""Longer is no error's body."""

MOST_CHARACTERS = 1_000
"""Longer is no sentence: what a service says is cut there."""

_BLOCK_NUMBER = re.compile("[0-9]{1,18}")


class TooLargeError(InputError):
    """A body larger than the service takes."""


class SlowRequestError(InputError):
    """A body that did not come in time."""


class DiskFullError(BusyError):
    """The service's disk has no room for what was sent."""


_STATUSES: Mapping[type[DtledgerError], int] = {
    TooLargeError: 413,
    SlowRequestError: 408,
    InputError: 400,
    LimitPassedError: 429,
    AccessDeniedError: 403,
    IntegrityError: 422,
    LedgerRejection: 409,
    DiskFullError: 507,
    BusyError: 503,
    HeadTooOldError: 503,
    ChainMismatchError: 503,
    CannotCheckError: 503,
    UnreachableError: 503,
    KeyFileError: 500,
    DtledgerError: 500,
}
"""The first that an error is an instance of counts."""

_CLASSES = {each.__name__: each for each in _STATUSES}

_INSIDE = (
    "The service could not do this; its own log says why.",
    "Tell its operator, or ask another one.",
)


def status_of(error: BaseException) -> int:
    """The HTTP status of an error; 500 for what is none of ours."""
    return next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), 500)


def to_http(error: BaseException) -> tuple[int, bytes]:
    """Status and body. Nothing of an error that is none of ours, or of the service's own inside, is in the body."""
    status = status_of(error)
    name = next((kind.__name__ for kind in _STATUSES if isinstance(error, kind)), DtledgerError.__name__)
    said: dict[str, str] = {"error": name}
    if status == 500 or not isinstance(error, DtledgerError):
        said |= {"error": DtledgerError.__name__, "text": _INSIDE[0], "hint": _INSIDE[1]}
    else:
        said |= {"text": error.message, "hint": error.hint}
        if isinstance(error, AccessDeniedError) and error.reason is not None:
            said["reason"] = error.reason.name
        if isinstance(error, AccessDeniedError) and error.as_of is not None:
            said["as_of"] = str(error.as_of)
        if isinstance(error, LimitPassedError):
            said["limit"] = error.limit
        if isinstance(error, IntegrityError):
            said |= {"block": error.block, "party": error.party}
    return status, json.dumps({key: text for key, text in said.items() if text}, **_CANONICAL).encode()


def from_http(status: int, body: bytes, who: str) -> DtledgerError:
    """The error that a service answered; `who` is the word for it. Whatever else was answered, that it was no answer.

    What the body says of `block` and `party` is a stranger's word, as is its text.
    """
    try:
        said = parse_json(body, MOST_BYTES)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not all(isinstance(each, str) for each in said.values()):
        return UnreachableError(f"{who} answered with HTTP status {status} and nothing that can be read.")
    kind = _CLASSES.get(said.get("error", ""), UnreachableError)
    text, hint = (_plain(said.get(name, "")) for name in ("text", "hint"))
    return kind(text or f"{who} answered with HTTP status {status}.", hint=hint, **_evidence(kind, said))


_CANONICAL: dict[str, Any] = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False}


def _evidence(kind: type[DtledgerError], said: Mapping[str, str]) -> dict[str, Any]:
    evidence: dict[str, Any] = {}
    if issubclass(kind, AccessDeniedError):
        evidence["reason"] = Reason.__members__.get(said.get("reason", ""))
        evidence["as_of"] = _number(said.get("as_of", ""))
    if issubclass(kind, LimitPassedError):
        evidence["limit"] = _plain(said.get("limit", ""))
    if issubclass(kind, IntegrityError):
        evidence |= {name: _plain(said.get(name, "")) for name in ("block", "party")}
    return evidence


def _number(text: str) -> int | None:
    return int(text) if _BLOCK_NUMBER.fullmatch(text) else None


def _plain(text: str) -> str:
    """One line, and no longer than a sentence."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:MOST_CHARACTERS]

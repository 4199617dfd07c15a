"""Which snapshot is meant: by its digest, the digest's beginning, or its CID."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...errors import InputError
from ..app import App

if TYPE_CHECKING:
    from ...client import Listed
    from ...types import Digest

_PREFIX = re.compile(r"(0x)?([0-9a-f]{8,64})")


def find(app: App, text: str, twin: int | None) -> Listed:
    """The snapshot that a digest, its beginning or its CID means; `twin` is where to look for the beginning of one.

    Raises:
        InputError: it is no digest, or none or several begin with it.
    """
    match = _PREFIX.fullmatch(text if text.startswith("ba") else text.lower())
    if match is None:
        return app.client.snapshots.show(_digest_of_cid(text))
    digits = match[2]
    if len(digits) == 64:
        from ...types import Digest

        return app.client.snapshots.show(Digest(bytes.fromhex(digits)))
    number = app.twin(twin)
    listed = (each for group in app.client.snapshots.list(number, unnamed=True) for each in group)
    found = [each for each in listed if each.found.digest.hex().startswith(digits)]
    if len(found) != 1:
        raise InputError(
            f"Snapshots of twin {number} whose digest begins with {digits}: {len(found) or 'none'}.",
            hint="`dtledger snapshot list` shows them all; more digits tell them apart.",
        )
    return found[0]


def _digest_of_cid(text: str) -> Digest:
    from ...encoding import CID
    from ...errors import IntegrityError

    try:
        return CID.decode(text).digest
    except (ValueError, KeyError, IntegrityError):
        raise InputError(
            f"{text!r} is no snapshot's digest.", hint="It has 64 hexadecimal digits; the first 8 may be enough."
        ) from None

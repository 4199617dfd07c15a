"""Requests that name who asks: signed by them, and just now."""

from __future__ import annotations

from ..client import Context
from ..errors import AccessDeniedError, InputError, IntegrityError
from ..ledger import messages
from ..types import Address, Digest

FRESH_SECONDS = 300
"""How far a signed request's time may be from ours."""


def require_signed(context: Context, who: Address, at: int, digest: Digest, signature: bytes) -> None:
    """Pass if `who` signed the digest of a request, which is of the time `at` (unix seconds).

    Raises:
        InputError: it is not of this time.
        AccessDeniedError: they did not sign it.
    """
    if abs(context.clock() - at) > FRESH_SECONDS:
        raise InputError("The request is not of this time.", hint="Set this machine's clock.")
    try:
        signer = messages.signer(digest, signature)
    except IntegrityError:
        signer = None
    if signer != who:
        raise AccessDeniedError("The request is not signed by whom it names.")

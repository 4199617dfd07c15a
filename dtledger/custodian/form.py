"""The form of a request to read: whether it is a question at all."""

from __future__ import annotations

from collections.abc import Sequence

from ..custody import ReadRequest, SealedShare
from ..policy import SLOTS
from ..types import ZERO_ADDRESS
from ..vocabulary import Action


def require_form(request: ReadRequest, shares: Sequence[SealedShare], most: int) -> None:
    """Pass if the request is a question that the rule can answer, about exactly these shares, at most
    `most` of them.

    Raises:
        ValueError: it is not.
    """
    digests = request.digests
    if not (
        0 < len(digests) <= most
        and {len(digest) for digest in digests} == {32}
        and len(set(digests)) == len(digests)
        and tuple(share.digest for share in shares) == digests
        and 0 <= request.twin < 2**256
        and request.grantee != ZERO_ADDRESS
        and 0 <= request.number < SLOTS
        and request.action in (Action.READ, Action.TRAIN)
        and 0 <= request.at < 2**40
    ):
        raise ValueError("a request is malformed")

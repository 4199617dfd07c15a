"""What an owner's digests of guardians open to, as its key file keeps them."""

from __future__ import annotations

from typing import Any

from ..keys import Secrets
from ..ledger import Deployment
from ..ledger.guardians import Guardians
from ..types import Address, Digest

_KEPT = 8
"""Former choices of guardians that a key file keeps: the newest may have come to nothing."""


def with_opening(held: Secrets, deployment: Deployment, twin: int, chosen: Guardians) -> Secrets:
    """The secrets with one choice more, the newest first."""
    name = _name(deployment, twin)
    new = {"needed": chosen.needed, "addresses": list(chosen.addresses), "salt": chosen.salt}
    former: list[Any] = list(held.extra.get(name, ()))
    return held.with_extra(name, [new, *former][:_KEPT])


def opening(held: Secrets, deployment: Deployment, twin: int, digest: Digest) -> Guardians | None:
    """The guardians that a digest stands for; None if these secrets do not know."""
    rows: list[Any] = list(held.extra.get(_name(deployment, twin), ()))
    known = (Guardians(row["needed"], tuple(map(Address, row["addresses"])), row["salt"]) for row in rows)
    return next((each for each in known if each.digest == digest), None)


def _name(deployment: Deployment, twin: int) -> str:
    """What a twin's guardians are filed under in `Secrets.extra`."""
    return f"guardians {deployment.origin} {twin}"

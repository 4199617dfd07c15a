"""How far a re-share has come: in the key file, which is written as a whole or not at all. Nothing of it is secret."""

from __future__ import annotations

from typing import Any

from ..encoding import CID
from ..types import Digest
from .context import Context

_NAME = "resharing"
"""Name in `Secrets.extra`: by deployment and twin, the digests of the roster to come and of the index so far."""


class Notes:
    """The notes of one key."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def root(self, twin: int, roster: Digest) -> CID | None:
        """The custody index so far, if it was for that roster."""
        match self._filed().get(str(twin)):
            case [noted, root] if noted == roster:
                return CID(Digest(root))
        return None

    def keep(self, twin: int, roster: Digest, root: CID) -> None:
        """Note the index so far, whose blocks are in the store."""
        self._file({**self._filed(), str(twin): [roster, root.digest]})

    def forget(self, twin: int) -> None:
        """It is done."""
        if str(twin) in self._filed():
            self._file({each: noted for each, noted in self._filed().items() if each != str(twin)})

    def _filed(self) -> dict[str, Any]:
        found: dict[str, Any] = self._context.key.secrets.extra.get(_NAME, {}).get(self._context.deployment.origin, {})
        return found

    def _file(self, twins: dict[str, Any]) -> None:
        deployment = self._context.deployment.origin

        def change(held: Any) -> Any:
            rest = {each: filed for each, filed in held.extra.get(_NAME, {}).items() if each != deployment}
            return held.with_extra(_NAME, {**rest, deployment: twins} if twins else rest or None)

        self._context.key.update(change)

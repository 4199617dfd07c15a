"""What the rule asks, from what the contracts hold."""

from __future__ import annotations

from ...policy import EMPTY, Grant, Member
from ...types import Address
from .frame import Storage
from .twin_store import state_of


class StoredFacts:
    """A `policy.Facts` from what the contracts hold: like a real node's `check`, it asks no event."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def owner(self, twin: int) -> Address | None:
        owner: Address | None = self._storage.get(("owner", twin))
        return owner

    def retired(self, twin: int) -> bool:
        return bool(state_of(self._storage, twin).retire_at)

    def frozen_until(self, twin: int) -> int:
        return state_of(self._storage, twin).frozen_until

    def member(self, who: Address) -> Member | None:
        member: Member | None = self._storage.get(("member", who))
        return member

    def blocked(self, twin: int, who: Address) -> bool:
        return bool(self._storage.get(("blocks", twin, who), 0) % 2)

    def grant(self, owner: Address, twin: int, grantee: Address, number: int) -> Grant:
        grant: Grant = self._storage.get(("grant", owner, twin, grantee, number), EMPTY)
        return grant

    def epoch(self, owner: Address, twin: int) -> int:
        epoch: int = self._storage.get(("epoch", owner, twin), 0)
        return epoch

    def closes_at(self, owner: Address, twin: int, grantee: Address, number: int, opener: Address) -> int:
        revision = self.grant(owner, twin, grantee, number).revision
        closes_at: int = self._storage.get(("closes", owner, twin, grantee, number, revision, opener), 0)
        return closes_at

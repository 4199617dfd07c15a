"""`contracts/base/Succession.sol`."""

from __future__ import annotations

from ...ledger import TwinState, messages
from ...ledger.events import Arrived, Departed
from ...ledger.rejections.succession import NotBeforeError, NotSuccessorError
from ...types import ZERO_ADDRESS, ZERO_DIGEST, Address, Digest
from .guarded_twins import GuardedTwins
from .twin_store import owner_of, state_of

NUMBERS = 1_000_000_000
"""How many twins a deployment numbers at most."""


class Succession(GuardedTwins):
    """How a twin leaves for the deployment after this one, and arrives from the one before.

    Storage: ("last before",) → the greatest number that a predecessor may give.
    """

    def depart(self, twin: int, grants: Digest, counter: int, deadline: int, signature: bytes) -> None:
        self._require_in_time(deadline)
        message = messages.depart(self._deployment, twin, self._sender, grants, counter, deadline)
        self._require_signed(owner_of(self._storage, twin), message, signature)
        self._require_counter(twin, counter)
        self._require_no_retirement(twin)
        self._require_not_frozen(twin)
        counter = self._change(twin, retire_at=self._now, move=None, successor=self._sender)
        self._emit(Departed(twin, self._sender, counter))

    def arrive(self, twin: int) -> None:
        former = self._frame.former
        if former is None or twin > self._storage["last before",]:
            raise NotBeforeError({"twin": twin})
        state = state_of(former.storage, twin)
        if state.successor != self._sender:
            raise NotSuccessorError({"twin": twin, "caller": self._sender})
        owner = owner_of(former.storage, twin)
        arrived = TwinState(
            counter=state.counter,
            guardians=state.guardians,
            recovery_delay=state.recovery_delay,
            frozen_at=state.frozen_at,
        )
        self._storage["card", twin] = former.storage.get(("card", twin), ZERO_DIGEST)
        self._storage["state", twin] = arrived
        self._emit(Arrived(twin, owner, state.guardians, state.recovery_delay, state.frozen_at, state.counter))
        self._give(ZERO_ADDRESS, owner, twin)
        self._emit(None)  # Locked

    def _was_owner(self, twin: int, key: Address) -> bool:
        former = self._frame.former
        return super()._was_owner(twin, key) or (former is not None and ("former", twin, key) in former.storage)

"""`contracts/base/TwinStore.sol`."""

from __future__ import annotations

from dataclasses import replace

from ...ledger import TwinState
from ...ledger.events import Moved, RetirementCancelled, Transfer
from ...ledger.rejections import (
    FormerOwnerError,
    NotTwinOwnerError,
    RetiredError,
    RetirementAnnouncedError,
    RetirementNotAnnouncedError,
    StaleCounterError,
    UnknownTwinError,
)
from ...ledger.rejections.guardians import FrozenError
from ...types import ZERO_DIGEST, Address
from .frame import Contract, Storage


class TwinStore(Contract):
    """Storage: ("owner", twin), ("balance", owner), ("twins",), ("card", twin) → chained digest, ("state", twin) →
    `TwinState`, ("former", twin, key), and ("retire delay",) in seconds."""

    def _state(self, twin: int) -> TwinState:
        return state_of(self._storage, twin)

    def _change(self, twin: int, **changes: object) -> int:
        """Writes the state and raises the counter, which it gives back."""
        state = self._state(twin)
        counter = state.counter + 1
        self._storage["state", twin] = replace(state, counter=counter, **changes)  # type: ignore[arg-type]
        return counter

    def _move_to(self, twin: int, sender: Address, to: Address) -> None:
        self._require_no_retirement(twin)
        self._storage["former", twin, sender] = True
        self._require_never_owner(twin, to)
        counter = self._state(twin).counter + 1
        self._storage["card", twin] = ZERO_DIGEST
        self._storage["state", twin] = TwinState(counter=counter)
        self._give(sender, to, twin)
        self._emit(Moved(twin, sender, to, counter))

    def _cancel(self, twin: int) -> None:
        if not self._state(twin).retire_at:
            raise RetirementNotAnnouncedError({"twin": twin})
        self._require_not_retired(twin)
        self._emit(RetirementCancelled(twin, self._change(twin, retire_at=0)))

    def _give(self, sender: Address, to: Address, twin: int) -> None:
        for account, change in ((sender, -1), (to, 1)):
            self._storage["balance", account] = self._storage.get(("balance", account), 0) + change
        self._storage["owner", twin] = to
        self._emit(Transfer(sender, to, twin))

    def _require_owner(self, twin: int) -> Address:
        owner = owner_of(self._storage, twin)
        if self._sender != owner:
            raise NotTwinOwnerError({"twin": twin, "caller": self._sender})
        return owner

    def _was_owner(self, twin: int, key: Address) -> bool:
        return ("former", twin, key) in self._storage

    def _require_never_owner(self, twin: int, to: Address) -> None:
        if self._was_owner(twin, to):
            raise FormerOwnerError({"twin": twin, "to": to})

    def _require_counter(self, twin: int, counter: int) -> None:
        present = self._state(twin).counter
        if counter != present:
            raise StaleCounterError({"named": counter, "present": present})

    def _require_no_retirement(self, twin: int) -> None:
        if retire_at := self._state(twin).retire_at:
            raise RetirementAnnouncedError({"twin": twin, "retireAt": retire_at})

    def _require_not_retired(self, twin: int) -> None:
        retire_at = self._state(twin).retire_at
        if retire_at and self._now >= retire_at:
            raise RetiredError({"twin": twin, "retireAt": retire_at})

    def _require_not_frozen(self, twin: int) -> None:
        state = self._state(twin)
        if state.is_frozen(self._now):
            raise FrozenError({"twin": twin, "frozenUntil": state.frozen_until})


def owner_of(storage: Storage, twin: int) -> Address:
    """The twin's owner, as ERC-721's `ownerOf`: a twin that is not there is refused."""
    owner: Address | None = storage.get(("owner", twin))
    if owner is None:
        raise UnknownTwinError({"tokenId": twin})
    return owner


def state_of(storage: Storage, twin: int) -> TwinState:
    """Where the twin stands in its life."""
    state: TwinState = storage.get(("state", twin), TwinState())
    return state

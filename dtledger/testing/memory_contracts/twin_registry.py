"""`contracts/TwinRegistry.sol`."""

from __future__ import annotations

from typing import Any

from ...ledger import messages
from ...ledger.events import Card, CardSet, Moved, RetirementAnnounced, RetirementCancelled, Transfer
from ...ledger.rejections import (
    FormerOwnerError,
    LockedError,
    NotTwinOwnerError,
    RetiredError,
    RetirementAnnouncedError,
    RetirementNotAnnouncedError,
    StaleCardError,
    StaleCounterError,
    StaleCountError,
    UnknownTwinError,
)
from ...types import ZERO_ADDRESS, ZERO_DIGEST, Address, Digest
from .frame import Contract, Storage


class TwinRegistry(Contract):
    """Storage: ("owner", twin), ("balance", owner), ("twins",), ("card", twin) → chained digest, ("state", twin) →
    (retire_at, counter), ("former", twin, key), and ("retire delay",) in seconds."""

    def mint(self, patient: Address, count: int, deadline: int, signature: bytes) -> None:
        self._require_in_time(deadline)
        self._require_signed(patient, messages.mint(self._deployment, patient, count, deadline), signature)
        present = self._storage.get(("balance", patient), 0)
        if count != present:
            raise StaleCountError({"named": count, "present": present})
        twin = self._storage.get(("twins",), 0) + 1
        self._storage["twins",] = twin
        self._give(ZERO_ADDRESS, patient, twin)
        self._emit(None)  # Locked

    def set_card(self, twin: int, previous: Digest, fields: tuple[Any, ...]) -> None:
        self._set_card(twin, self._require_owner(twin), previous, Card(*fields))

    def set_card_signed(
        self, twin: int, previous: Digest, fields: tuple[Any, ...], deadline: int, signature: bytes
    ) -> None:
        self._require_in_time(deadline)
        owner, card = owner_of(self._storage, twin), Card(*fields)
        self._require_signed(owner, messages.set_card(self._deployment, twin, previous, card, deadline), signature)
        self._set_card(twin, owner, previous, card)

    def move(
        self, twin: int, to: Address, counter: int, deadline: int, owner_signature: bytes, recipient_signature: bytes
    ) -> None:
        self._require_in_time(deadline)
        sender = owner_of(self._storage, twin)
        message = messages.move(self._deployment, twin, to, counter, deadline)
        self._require_own_or_signed(sender, message, owner_signature)
        self._require_own_or_signed(to, message, recipient_signature)
        self._require_counter(twin, counter)
        retire_at, _ = self._state(twin)
        if retire_at:
            raise RetirementAnnouncedError({"twin": twin, "retireAt": retire_at})
        self._storage["former", twin, sender] = True
        if ("former", twin, to) in self._storage:
            raise FormerOwnerError({"twin": twin, "to": to})
        self._storage["card", twin] = ZERO_DIGEST
        self._storage["state", twin] = (0, counter + 1)
        self._give(sender, to, twin)
        self._emit(Moved(twin, sender, to, counter + 1))

    def announce_retirement(self, twin: int) -> None:
        self._require_owner(twin)
        self._announce(twin)

    def announce_retirement_signed(self, twin: int, counter: int, deadline: int, signature: bytes) -> None:
        self._require_in_time(deadline)
        message = messages.announce_retirement(self._deployment, twin, counter, deadline)
        self._require_signed(owner_of(self._storage, twin), message, signature)
        self._require_counter(twin, counter)
        self._announce(twin)

    def cancel_retirement(self, twin: int) -> None:
        self._require_owner(twin)
        self._cancel(twin)

    def cancel_retirement_signed(self, twin: int, counter: int, deadline: int, signature: bytes) -> None:
        self._require_in_time(deadline)
        message = messages.cancel_retirement(self._deployment, twin, counter, deadline)
        self._require_signed(owner_of(self._storage, twin), message, signature)
        self._require_counter(twin, counter)
        self._cancel(twin)

    def approve(self, *_: object) -> None:
        raise LockedError({})

    set_approval_for_all = safe_transfer_from = transfer_from = approve

    def _set_card(self, twin: int, owner: Address, previous: Digest, card: Card) -> None:
        present = self._storage.get(("card", twin), ZERO_DIGEST)
        if previous != present:
            raise StaleCardError({"named": previous, "present": present})
        self._require_not_retired(twin)
        self._storage["card", twin] = messages.card_chain(previous, card)
        self._emit(CardSet(twin, owner, previous, card))

    def _announce(self, twin: int) -> None:
        retire_at, counter = self._state(twin)
        if retire_at:
            raise RetirementAnnouncedError({"twin": twin, "retireAt": retire_at})
        retire_at = self._now + self._storage["retire delay",]
        self._storage["state", twin] = (retire_at, counter + 1)
        self._emit(RetirementAnnounced(twin, retire_at, counter + 1))

    def _cancel(self, twin: int) -> None:
        retire_at, counter = self._state(twin)
        if not retire_at:
            raise RetirementNotAnnouncedError({"twin": twin})
        self._require_not_retired(twin)
        self._storage["state", twin] = (0, counter + 1)
        self._emit(RetirementCancelled(twin, counter + 1))

    def _give(self, sender: Address, to: Address, twin: int) -> None:
        for account, change in ((sender, -1), (to, 1)):
            self._storage["balance", account] = self._storage.get(("balance", account), 0) + change
        self._storage["owner", twin] = to
        self._emit(Transfer(sender, to, twin))

    def _state(self, twin: int) -> tuple[int, int]:
        found: tuple[int, int] = self._storage.get(("state", twin), (0, 0))
        return found

    def _require_owner(self, twin: int) -> Address:
        owner = owner_of(self._storage, twin)
        if self._sender != owner:
            raise NotTwinOwnerError({"twin": twin, "caller": self._sender})
        return owner

    def _require_counter(self, twin: int, counter: int) -> None:
        _, present = self._state(twin)
        if counter != present:
            raise StaleCounterError({"named": counter, "present": present})

    def _require_not_retired(self, twin: int) -> None:
        retire_at, _ = self._state(twin)
        if retire_at and self._now >= retire_at:
            raise RetiredError({"twin": twin, "retireAt": retire_at})


def owner_of(storage: Storage, twin: int) -> Address:
    """The twin's owner, as ERC-721's `ownerOf`: a twin that is not there is refused."""
    owner: Address | None = storage.get(("owner", twin))
    if owner is None:
        raise UnknownTwinError({"tokenId": twin})
    return owner

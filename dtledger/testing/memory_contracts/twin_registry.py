"""`contracts/TwinRegistry.sol`."""

from __future__ import annotations

from typing import Any

from ...ledger import messages
from ...ledger.events import Card, CardSet, RetirementAnnounced
from ...ledger.rejections import LockedError, StaleCardError, StaleCountError
from ...ledger.rejections.succession import NumbersSpentError
from ...types import ZERO_ADDRESS, ZERO_DIGEST, Address, Digest
from .succession import NUMBERS, Succession
from .twin_store import owner_of


class TwinRegistry(Succession):
    """Minting, the card, the owner's own move, and retirement."""

    def mint(self, patient: Address, count: int, deadline: int, signature: bytes) -> None:
        self._require_in_time(deadline)
        self._require_signed(patient, messages.mint(self._deployment, patient, count, deadline), signature)
        present = self._storage.get(("balance", patient), 0)
        if count != present:
            raise StaleCountError({"named": count, "present": present})
        before = self._storage["last before",]
        twin = self._storage.get(("twins",), before) + 1
        if twin > before + NUMBERS:
            raise NumbersSpentError({})
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
        self._require_not_frozen(twin)
        self._move_to(twin, sender, to)

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
        self._require_not_frozen(twin)
        self._cancel(twin)

    def cancel_retirement_signed(self, twin: int, counter: int, deadline: int, signature: bytes) -> None:
        self._require_in_time(deadline)
        message = messages.cancel_retirement(self._deployment, twin, counter, deadline)
        self._require_signed(owner_of(self._storage, twin), message, signature)
        self._require_counter(twin, counter)
        self._require_not_frozen(twin)
        self._cancel(twin)

    def approve(self, *_: object) -> None:
        raise LockedError({})

    set_approval_for_all = safe_transfer_from = transfer_from = approve

    def _set_card(self, twin: int, owner: Address, previous: Digest, card: Card) -> None:
        present = self._storage.get(("card", twin), ZERO_DIGEST)
        if previous != present:
            raise StaleCardError({"named": previous, "present": present})
        self._require_not_retired(twin)
        self._require_not_frozen(twin)
        self._storage["card", twin] = messages.card_chain(previous, card)
        self._emit(CardSet(twin, owner, previous, card))

    def _announce(self, twin: int) -> None:
        self._require_no_retirement(twin)
        self._require_not_frozen(twin)
        retire_at = self._now + self._storage["retire delay",]
        self._emit(RetirementAnnounced(twin, retire_at, self._change(twin, retire_at=retire_at)))

"""`contracts/base/ConsentStore.sol`: the slots, epochs and block counts, and the only ways to write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...ledger.events import AllRevoked, Blocked, Granted, Revoked, Unblocked
from ...ledger.rejections import (
    BlockSpentError,
    EpochSpentError,
    InvalidTermsError,
    SlotSpentError,
    StaleRevisionError,
)
from ...policy import EMPTY, MAX_EPOCH, MAX_REVISION, SLOTS, Grant
from ...types import MAX_MINUTE, ZERO_ADDRESS, Address, Digest
from ...vocabulary import Action
from .frame import Contract

MAX_COUNT = 2**32 - 1
"""The last count of blocks and unblocks; it is odd, hence blocked for ever."""

_COUNTERS = 2**40 - 1
_KNOWN_ACTIONS = sum(action.mask for action in Action)
_OPENING = Action.READ.mask | Action.TRAIN.mask


class ConsentStore(Contract):
    """Storage: ("grant", owner, twin, grantee, number) → Grant; ("epoch", owner, twin); ("blocks", twin, grantee);
    ("blocked", twin) → how many are.

    A word of terms comes as the number that is in the call, since only a checked one is a `Grant`.
    """

    def _grant(
        self, owner: Address, twin: int, epoch: int, grantee: Address, number: int, terms: int, package: Digest
    ) -> None:
        self._require_slot(grantee, number)
        revision = self._slot(owner, twin, grantee, number).revision
        if revision >= MAX_REVISION - 1:
            raise SlotSpentError({"grantee": grantee, "number": number})
        word = Grant.unpack(terms | revision + 1 << 24 | epoch)
        self._storage["grant", owner, twin, grantee, number] = word
        self._emit(Granted(owner, twin, grantee, number, word, package))

    def _revoke(self, owner: Address, twin: int, grantee: Address, number: int, revision: int) -> None:
        """Leaves the epoch, and the revision after `revision`, which is at or above the present one."""
        if number >= SLOTS:
            raise InvalidTermsError({"field": "number"})
        epoch = self._slot(owner, twin, grantee, number).epoch
        word = Grant(revision=min(revision + 1, MAX_REVISION), epoch=epoch)
        self._storage["grant", owner, twin, grantee, number] = word
        self._emit(Revoked(owner, twin, grantee, number, word))

    def _revoke_all_but(self, owner: Address, twin: int, epoch: int, rows: Sequence[tuple[Any, ...]]) -> None:
        """Sets the epoch after `epoch`, which is at or above the present one, and grants the kept slots again. Only
        their own words are refused; one that does not hold what its owner means to keep is passed over."""
        ended, following = self._epoch(owner, twin), min(epoch + 1, MAX_EPOCH)
        self._storage["epoch", owner, twin] = following
        self._emit(AllRevoked(owner, twin, following))
        for grantee, number, revision, terms, package in rows:
            self._require_slot(grantee, number)
            self._require_terms(terms)
            held = self._slot(owner, twin, grantee, number)
            stood = held.given and (held.epoch, held.revision) == (ended, revision) and revision < MAX_REVISION - 1
            if stood and following != MAX_EPOCH:
                self._grant(owner, twin, following, grantee, number, terms, package)

    def _block(self, twin: int, grantee: Address, count: int) -> None:
        """Moves the count past `count`, which is at or above the present one."""
        if count != MAX_COUNT:
            count += 1 if count % 2 == 0 else 2
        self._set_block_count(twin, grantee, count)

    def _set_block_count(self, twin: int, grantee: Address, count: int) -> None:
        """Blocks the grantee: `count` is odd."""
        if self._block_count(twin, grantee) % 2 == 0:
            self._storage["blocked", twin] = self._storage.get(("blocked", twin), 0) + 1
        self._storage["blocks", twin, grantee] = count
        self._emit(Blocked(twin, grantee, count))

    def _unblock(self, twin: int, grantee: Address) -> None:
        count = self._block_count(twin, grantee)
        if count >= MAX_COUNT - 1:
            raise BlockSpentError({"twin": twin, "grantee": grantee})
        if count % 2:
            self._storage["blocked", twin] -= 1
        count += 2 if count % 2 == 0 else 1
        self._storage["blocks", twin, grantee] = count
        self._emit(Unblocked(twin, grantee, count))

    def _slot(self, owner: Address, twin: int, grantee: Address, number: int) -> Grant:
        found: Grant = self._storage.get(("grant", owner, twin, grantee, number), EMPTY)
        return found

    def _epoch(self, owner: Address, twin: int) -> int:
        found: int = self._storage.get(("epoch", owner, twin), 0)
        return found

    def _block_count(self, twin: int, grantee: Address) -> int:
        found: int = self._storage.get(("blocks", twin, grantee), 0)
        return found

    def _require_revision(self, owner: Address, twin: int, grantee: Address, number: int, named: int) -> None:
        present = self._slot(owner, twin, grantee, number).revision
        if named != present:
            raise StaleRevisionError({"named": named, "present": present})

    def _require_slot(self, grantee: Address, number: int) -> None:
        if grantee == ZERO_ADDRESS:
            raise InvalidTermsError({"field": "grantee"})
        if number >= SLOTS:
            raise InvalidTermsError({"field": "number"})

    def _require_epoch_left(self, owner: Address, twin: int, epoch: int) -> None:
        if epoch == MAX_EPOCH:
            raise EpochSpentError({"owner": owner, "twin": twin})

    def _require_terms(self, word: int) -> None:
        """Refuse terms that no request could meet, or that say what the vocabulary does not know."""
        actions = word >> 40 & 0xFF
        if actions == 0 or actions & ~_KNOWN_ACTIONS:
            raise InvalidTermsError({"field": "actions"})
        if actions & _OPENING and not word >> 192 & 0xFFFFFFFF:
            raise InvalidTermsError({"field": "purposes"})
        if not word >> 224:
            raise InvalidTermsError({"field": "categories"})
        if word >> 152 & 0xFFFFFFFFFF >= word >> 112 & 0xFFFFFFFFFF:
            raise InvalidTermsError({"field": "expiresAt"})
        data_from, data_until = word >> 80 & 0xFFFFFFFF, word >> 48 & 0xFFFFFFFF
        if data_from > data_until or data_until > MAX_MINUTE:
            raise InvalidTermsError({"field": "dataUntil"})
        if word & _COUNTERS:
            raise InvalidTermsError({"field": "counters"})

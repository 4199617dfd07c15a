"""`contracts/ConsentRegistry.sol`. The rule itself is `dtledger.policy`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...ledger.rejections import NotConsentOwnerError, NotOwnerNorGranteeError
from ...types import Address, Digest
from .carried_consents import CarriedConsents
from .emergencies import Emergencies
from .signed_consents import SignedConsents
from .twin_store import owner_of

Rows = Sequence[tuple[Any, ...]]


class ConsentRegistry(SignedConsents, Emergencies, CarriedConsents):
    """What owners permit. A giver needs no twin: a grant counts while its giver owns the twin."""

    def grant(self, twin: int, grantee: Address, number: int, terms: int, package: Digest) -> None:
        self.grant_many(twin, terms, [(grantee, number, package)])

    def grant_many(self, twin: int, terms: int, recipients: Rows) -> None:
        epoch = self._epoch(self._sender, twin)
        self._require_epoch_left(self._sender, twin, epoch)
        self._require_terms(terms)
        for grantee, number, package in recipients:
            self._grant(self._sender, twin, epoch, grantee, number, terms, package)

    def revoke(self, owner: Address, twin: int, grantee: Address, number: int) -> None:
        if self._sender not in (owner, grantee):
            raise NotOwnerNorGranteeError({"caller": self._sender})
        self._revoke(owner, twin, grantee, number, self._slot(owner, twin, grantee, number).revision)

    def revoke_many(self, twin: int, slots: Rows) -> None:
        for grantee, number in slots:
            present = self._slot(self._sender, twin, grantee, number).revision
            self._revoke(self._sender, twin, grantee, number, present)

    def revoke_all(self, twin: int, keep: Rows) -> None:
        self._revoke_all_but(self._sender, twin, self._epoch(self._sender, twin), keep)

    def block_grantee(self, twin: int, grantee: Address) -> None:
        self._require_owner(twin)
        self._block(twin, grantee, self._block_count(twin, grantee))

    def unblock_grantee(self, twin: int, grantee: Address) -> None:
        self._require_owner(twin)
        self._unblock(twin, grantee)

    def _require_owner(self, twin: int) -> None:
        if owner_of(self._storage, twin) != self._sender:
            raise NotConsentOwnerError({"twin": twin, "caller": self._sender})

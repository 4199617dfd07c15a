"""`contracts/ConsentRegistry.sol` and, with it, `contracts/base/SignedConsents.sol`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...ledger import Deployment, messages
from ...ledger.calls import Regrant
from ...ledger.rejections import (
    NotConsentOwnerError,
    NotOwnerNorGranteeError,
    StaleBlockCountError,
    StaleEpochError,
    StaleRevisionError,
)
from ...ledger.signed import (
    SignedGrant,
    SignedGrantMany,
    SignedRecipient,
    SignedRevoke,
    SignedRevokeAll,
    SignedRevokeMany,
    SignedSlot,
)
from ...policy import Grant
from ...types import Address, Digest
from .consent_store import ConsentStore
from .twin_registry import owner_of

Rows = Sequence[tuple[Any, ...]]


class ConsentRegistry(ConsentStore):
    """What owners permit. The rule itself is `dtledger.policy`."""

    def grant(self, twin: int, grantee: Address, number: int, terms: int, package: Digest) -> None:
        epoch = self._epoch(self._sender, twin)
        self._require_epoch_left(self._sender, twin, epoch)
        self._require_terms(terms)
        self._grant(self._sender, twin, epoch, grantee, number, terms, package)

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
        self._revoke_all_but(self._sender, twin, keep)

    def block_grantee(self, twin: int, grantee: Address) -> None:
        self._require_owner(twin)
        self._block(twin, grantee)

    def unblock_grantee(self, twin: int, grantee: Address) -> None:
        self._require_owner(twin)
        self._unblock(twin, grantee)

    # carried by anyone ---------------------------------------------------------------------------------------

    def grant_signed(self, fields: tuple[Any, ...], signature: bytes) -> None:
        owner, twin, grantee, number, terms, package, revision, epoch, deadline = fields
        self._require_in_time(deadline)
        ...

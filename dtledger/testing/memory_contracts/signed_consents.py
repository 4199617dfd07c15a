"""`contracts/base/SignedConsents.sol`: the consent calls as signed messages that anyone may carry."""

from __future__ import annotations

from typing import Any

from ...ledger import messages
from ...ledger.calls import Regrant
from ...ledger.rejections import (
    InvalidTermsError,
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
from ...types import Address
from .consent_store import ConsentStore
from .twin_store import owner_of

Fields = tuple[Any, ...]


class SignedConsents(ConsentStore):
    """Each call takes the fields of the message of its name, in their order."""

    def grant_signed(self, fields: Fields, signature: bytes) -> None:
        owner, twin, grantee, number, word, package, revision, epoch, deadline = fields
        self._require_in_time(deadline)
        message = SignedGrant(owner, twin, grantee, number, _terms(word), package, revision, epoch, deadline)
        self._require_signed(owner, messages.grant(self._deployment, message), signature)
        self._require_epoch(owner, twin, epoch)
        self._require_epoch_left(owner, twin, epoch)
        self._require_revision(owner, twin, grantee, number, revision)
        self._require_terms(word)
        self._grant(owner, twin, epoch, grantee, number, word, package)

    def grant_many_signed(self, fields: Fields, signature: bytes) -> None:
        owner, twin, word, rows, epoch, deadline = fields
        self._require_in_time(deadline)
        recipients = tuple(SignedRecipient(*row) for row in rows)
        message = SignedGrantMany(owner, twin, _terms(word), recipients, epoch, deadline)
        self._require_signed(owner, messages.grant_many(self._deployment, message), signature)
        self._require_epoch(owner, twin, epoch)
        self._require_epoch_left(owner, twin, epoch)
        self._require_terms(word)
        for to in recipients:
            self._require_revision(owner, twin, to.grantee, to.number, to.revision)
            self._grant(owner, twin, epoch, to.grantee, to.number, word, to.package)

    def revoke_signed(self, fields: Fields, signer: Address, signature: bytes) -> None:
        message = SignedRevoke(*fields)
        self._require_in_time(message.deadline)
        if signer not in (message.owner, message.grantee):
            raise NotOwnerNorGranteeError({"caller": signer})
        self._require_signed(signer, messages.revoke(self._deployment, message), signature)
        slot = message.owner, message.twin, message.grantee, message.number
        present = self._slot(*slot).revision
        if present > message.revision:
            raise StaleRevisionError({"named": message.revision, "present": present})
        self._revoke(*slot, message.revision)

    def revoke_many_signed(self, fields: Fields, signature: bytes) -> None:
        owner, twin, rows, deadline = fields
        self._require_in_time(deadline)
        message = SignedRevokeMany(owner, twin, tuple(SignedSlot(*row) for row in rows), deadline)
        self._require_signed(owner, messages.revoke_many(self._deployment, message), signature)
        for slot in message.slots:
            if self._slot(owner, twin, slot.grantee, slot.number).revision <= slot.revision:
                self._revoke(owner, twin, slot.grantee, slot.number, slot.revision)

    def revoke_all_signed(self, fields: Fields, signature: bytes) -> None:
        owner, twin, rows, epoch, deadline = fields
        self._require_in_time(deadline)
        keep = tuple(
            Regrant(grantee, number, revision, _terms(word), package)
            for grantee, number, revision, word, package in rows
        )
        message = SignedRevokeAll(owner, twin, keep, epoch, deadline)
        self._require_signed(owner, messages.revoke_all(self._deployment, message), signature)
        present = self._epoch(owner, twin)
        if present > epoch:
            raise StaleEpochError({"named": epoch, "present": present})
        self._revoke_all_but(owner, twin, epoch, rows)

    def block_signed(self, twin: int, grantee: Address, count: int, deadline: int, signature: bytes) -> None:
        message = messages.block(self._deployment, twin, grantee, count, deadline)
        self._require_in_time(deadline)
        self._require_signed(owner_of(self._storage, twin), message, signature)
        present = self._block_count(twin, grantee)
        if present > count:
            raise StaleBlockCountError({"named": count, "present": present})
        self._block(twin, grantee, count)

    def unblock_signed(self, twin: int, grantee: Address, count: int, deadline: int, signature: bytes) -> None:
        message = messages.unblock(self._deployment, twin, grantee, count, deadline)
        self._require_in_time(deadline)
        self._require_signed(owner_of(self._storage, twin), message, signature)
        present = self._block_count(twin, grantee)
        if present != count:
            raise StaleBlockCountError({"named": count, "present": present})
        self._unblock(twin, grantee)

    def _require_epoch(self, owner: Address, twin: int, named: int) -> None:
        present = self._epoch(owner, twin)
        if named != present:
            raise StaleEpochError({"named": named, "present": present})


def _terms(word: int) -> Grant:
    """The terms of a word, for the digest. Python has no `Grant` whose data period runs backwards or never ends, so
    such a word is refused here, before its signature is looked at."""
    try:
        return Grant.unpack(word)
    except ValueError:
        raise InvalidTermsError({"field": "dataUntil"}) from None

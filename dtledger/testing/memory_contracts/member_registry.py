"""`contracts/MemberRegistry.sol`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...ledger import messages
from ...ledger.calls import MemberCard
from ...ledger.events import Agreed, CardUpdated, Dismissed, Enrolled, KeyringSet, KindsSet, Reinstated, Suspended
from ...ledger.rejections import (
    AlreadyEnrolledError,
    AlreadySuspendedError,
    GuardedKindsError,
    NotAgreedError,
    NotAnOrganisationError,
    NotEnrolledError,
    NotSuspendedError,
    StaleKeyringError,
    StaleVersionError,
    UnguardedKindsError,
    UnknownKindsError,
)
from ...policy import Member
from ...types import ZERO_ADDRESS, ZERO_DIGEST, Address, Digest
from ...vocabulary import Kind
from ...vocabulary.rights import GUARDED_KINDS
from .frame import Contract

_KNOWN_KINDS = sum(kind.mask for kind in Kind)
_STRANGER = Member(kinds=0, organisation=None, version=0)


class MemberRegistry(Contract):
    """Storage: ("member", account) → Member; ("keyring", organisation) → digest; ("decision", organisation, member) →
    the version that the organisation's newest call about the member is for, and whether it joins."""

    def enrol(self, fields: tuple[Any, ...], signature: bytes, agreement: bytes, kinds: int) -> None:
        card = MemberCard(*fields)
        if self._member(card.member).version != 0:
            raise AlreadyEnrolledError({"member": card.member})
        self._require_known(kinds)
        if kinds & GUARDED_KINDS:
            raise GuardedKindsError({"kinds": kinds})
        self._set_card(card, signature, agreement)
        self._change(card.member, kinds=kinds)
        self._emit(Enrolled(card.member, card.organisation, kinds, card.key))

    def update_card(self, fields: tuple[Any, ...], signature: bytes, agreement: bytes) -> None:
        card = MemberCard(*fields)
        self._require_enrolled(card.member)
        self._set_card(card, signature, agreement)
        self._emit(CardUpdated(card.member, card.organisation, card.key, card.version + 1))

    def set_kinds(self, member: Address, kinds: int) -> None:
        self._require_enrolled(member)
        self._require_known(kinds)
        if kinds & GUARDED_KINDS & ~self._member(member).kinds:
            raise GuardedKindsError({"kinds": kinds})
        self._change(member, kinds=kinds)
        self._emit(KindsSet(member, kinds))

    def add_guarded_kinds(self, member: Address, kinds: int) -> None:
        self._require_enrolled(member)
        if kinds & ~GUARDED_KINDS:
            raise UnguardedKindsError({"kinds": kinds})
        kinds |= self._member(member).kinds
        self._change(member, kinds=kinds)
        self._emit(KindsSet(member, kinds))

    def suspend(self, member: Address) -> None:
        self._require_enrolled(member)
        if self._member(member).suspended:
            raise AlreadySuspendedError({"member": member})
        self._change(member, suspended=True)
        self._emit(Suspended(member))

    def reinstate(self, member: Address) -> None:
        if not self._member(member).suspended:
            raise NotSuspendedError({"member": member})
        self._change(member, suspended=False)
        self._emit(Reinstated(member))

    def agree(self, member: Address, version: int) -> None:
        present = self._member(member).version
        if version != present:
            raise StaleVersionError({"named": version, "present": present})
        self._storage["decision", self._sender, member] = (version + 1, True)
        self._emit(Agreed(self._sender, member, version))

    def dismiss(self, member: Address) -> None:
        entry = self._member(member)
        self._storage["decision", self._sender, member] = (entry.version + 1, False)
        if entry.organisation == self._sender:
            self._change(member, organisation=None)
        self._emit(Dismissed(self._sender, member))

    def set_keyring(self, digest: Digest, previous: Digest) -> None:
        self._set_keyring(self._sender, digest, previous)

    def set_keyring_signed(
        self, organisation: Address, digest: Digest, previous: Digest, deadline: int, signature: bytes
    ) -> None:
        self._require_in_time(deadline)
        message = messages.keyring(self._deployment, organisation, digest, previous, deadline)
        self._require_signed(organisation, message, signature)
        self._set_keyring(organisation, digest, previous)

    def _set_card(self, card: MemberCard, signature: bytes, agreement: bytes) -> None:
        entry = self._member(card.member)
        if card.version != entry.version:
            raise StaleVersionError({"named": card.version, "present": entry.version})
        self._require_own_or_signed(card.member, messages.member_card(self._deployment, card), signature)
        if card.organisation not in (entry.organisation, ZERO_ADDRESS):
            self._require_agreed(card, agreement)
        organisation = None if card.organisation == ZERO_ADDRESS else card.organisation
        self._storage["member", card.member] = replace(entry, version=card.version + 1, organisation=organisation)

    def _require_agreed(self, card: MemberCard, agreement: bytes) -> None:
        organisation = self._member(card.organisation)
        if (
            organisation.version == 0
            or organisation.suspended
            or organisation.organisation is not None
            or card.organisation == card.member
        ):
            raise NotAnOrganisationError({"organisation": card.organisation})
        version, joins = self._storage.get(("decision", card.organisation, card.member), (0, False))
        if version == card.version + 1:
            if joins:
                return
            raise NotAgreedError({"organisation": card.organisation, "member": card.member, "version": card.version})
        message = messages.agreement(self._deployment, card.organisation, card.member, card.version)
        self._require_own_or_signed(card.organisation, message, agreement)

    def _set_keyring(self, organisation: Address, digest: Digest, previous: Digest) -> None:
        self._require_enrolled(organisation)
        present = self._storage.get(("keyring", organisation), ZERO_DIGEST)
        if previous != present:
            raise StaleKeyringError({"named": previous, "present": present})
        self._storage["keyring", organisation] = digest
        self._emit(KeyringSet(organisation, digest))

    def _member(self, account: Address) -> Member:
        found: Member = self._storage.get(("member", account), _STRANGER)
        return found

    def _change(self, account: Address, **changes: Any) -> None:
        self._storage["member", account] = replace(self._member(account), **changes)

    def _require_enrolled(self, member: Address) -> None:
        if self._member(member).version == 0:
            raise NotEnrolledError({"member": member})

    def _require_known(self, kinds: int) -> None:
        if kinds & ~_KNOWN_KINDS:
            raise UnknownKindsError({"kinds": kinds})

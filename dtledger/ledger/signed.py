"""Consents as messages: what an owner signs so that anyone may carry it to the ledger.

A message holds the whole content and a deadline at most an hour ahead. It names the present value of what it changes,
so that one which was held back never permits what a newer decision denies. `dtledger.ledger.messages` makes the digest
to sign, `dtledger.ledger.calls` the call that carries it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..policy import Grant
from ..types import Address, Digest

if TYPE_CHECKING:
    from .calls import Regrant


@dataclass(frozen=True, slots=True)
class SignedGrant:
    """The message `Grant`: it names the slot's present revision and the owner's present epoch."""

    owner: Address
    twin: int
    grantee: Address
    number: int
    terms: Grant
    package: Digest
    revision: int
    epoch: int
    deadline: int


@dataclass(frozen=True, slots=True)
class SignedRecipient:
    """One grantee of a `SignedGrantMany`, with its slot's present revision."""

    grantee: Address
    number: int
    package: Digest
    revision: int


@dataclass(frozen=True, slots=True)
class SignedGrantMany:
    """The message `GrantMany`."""

    owner: Address
    twin: int
    terms: Grant
    recipients: tuple[SignedRecipient, ...]
    epoch: int
    deadline: int


@dataclass(frozen=True, slots=True)
class SignedRevoke:
    """The message `Revoke`: valid while the slot stands at or below `revision`; it sets one more."""

    owner: Address
    twin: int
    grantee: Address
    number: int
    revision: int
    deadline: int


@dataclass(frozen=True, slots=True)
class SignedSlot:
    """One slot of a `SignedRevokeMany`; `revision` means what it means in `SignedRevoke`."""

    grantee: Address
    number: int
    revision: int


@dataclass(frozen=True, slots=True)
class SignedRevokeMany:
    """The message `RevokeMany`."""

    owner: Address
    twin: int
    slots: tuple[SignedSlot, ...]
    deadline: int


@dataclass(frozen=True, slots=True)
class CarriedGrant:
    """One grant that goes with its twin to another deployment: its whole word, and the package that its event names."""

    grantee: Address
    number: int
    grant: Grant
    package: Digest


@dataclass(frozen=True, slots=True)
class SignedCarrying:
    """The message `Depart`, but for the successor: `counter` is the twin's where it leaves."""

    twin: int
    grants: tuple[CarriedGrant, ...]
    counter: int
    deadline: int


@dataclass(frozen=True, slots=True)
class SignedRevokeAll:
    """The message `RevokeAll`: valid while the owner's epoch stands at or below `epoch`, and sets one more."""

    owner: Address
    twin: int
    keep: tuple[Regrant, ...]
    epoch: int
    deadline: int

"""The rule: may this request be answered? Written here and once more in `contracts/`, and proved equal.

A request names one grant. The questions are asked in the order of `Reason`, and the first that applies is the
answer. Time is an argument, since a chain may make no block while nothing happens: FROZEN and NOT_YET are judged at
`earliest`, EXPIRED at `latest`; audits pass one time twice. A grant is valid in [not_before_at, expires_at).

>>> from dtledger.vocabulary import Action, Purpose
>>> grant = Grant(categories=1, purposes=Purpose.TREAT.mask, not_before_at=100, expires_at=200,
...               data=Period(0, 50), actions=Action.READ.mask, revision=1, epoch=0)
>>> Grant.unpack(grant.pack()) == grant
True
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from .types import ZERO_ADDRESS, Address, Period
from .vocabulary import Action, Kind, Purpose, Reason

SLOTS = 8
"""Grants that one owner can give one grantee on one twin, numbered from 0."""

MAX_REVISION = 2**16 - 1
"""A slot at this revision can never permit again: counters saturate and then deny."""

MAX_EPOCH = 2**24 - 1
"""An owner and twin at this epoch can never permit again."""

NO_PERIOD = Period(0, 0)


class MalformedRequestError(ValueError):
    """The request or the times make no sense; the contract reverts on the same ones."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One consent as it stands in its slot: 256 bits, packed as `contracts/types/Grant.sol` says.

    `categories` is a mask of the twin's permuted bits, `purposes` and `actions` are masks of the vocabulary's
    numbers. A slot that was revoked keeps its revision and epoch and nothing else.
    """

    categories: int = 0
    purposes: int = 0
    not_before_at: int = 0
    expires_at: int = 0
    data: Period = NO_PERIOD
    actions: int = 0
    revision: int = 0
    epoch: int = 0

    def pack(self) -> int:
        word = 0
        for value, bits in (
            (self.categories, 32),
            (self.purposes, 32),
            (self.not_before_at, 40),
            (self.expires_at, 40),
            (self.data.start, 32),
            (self.data.end, 32),
            (self.actions, 8),
            (self.revision, 16),
            (self.epoch, 24),
        ):
            if not 0 <= value < 1 << bits:
                raise ValueError(f"{value} does not fit into {bits} bits of a grant")
            word = word << bits | value
        return word

    @classmethod
    def unpack(cls, word: int) -> Grant:
        def take(shift: int, bits: int) -> int:
            return word >> shift & (1 << bits) - 1

        return cls(
            categories=take(224, 32),
            purposes=take(192, 32),
            not_before_at=take(152, 40),
            expires_at=take(112, 40),
            data=Period(take(80, 32), take(48, 32)),
            actions=take(40, 8),
            revision=take(24, 16),
            epoch=take(0, 24),
        )

    @property
    def given(self) -> bool:
        """True while the slot holds a consent: neither never written nor revoked."""
        return self.actions != 0

    @property
    def terms(self) -> Grant:
        """What was consented to, without the counters."""
        return replace(self, revision=0, epoch=0)


EMPTY = Grant()


@dataclass(frozen=True, slots=True)
class Member:
    """An enrolled person or organisation. `version` counts its cards; `organisation` is "" for none."""

    kinds: int
    organisation: Address | None
    version: int
    suspended: bool = False

    def is_a(self, kind: Kind) -> bool:
        return bool(self.kinds & kind.mask)


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the rule: may `requester`, under the grant of `grantee`'s slot `number`, do `action` for
    `purpose` to data of category `bit` over `period`? WRITE has no purpose; READ and TRAIN must name one."""

    twin: int
    requester: Address
    grantee: Address
    number: int
    action: Action
    purpose: Purpose | None
    bit: int
    period: Period


class Facts(Protocol):
    """What the rule asks of the ledger, all of it at one block."""

    def owner(self, twin: int) -> Address | None: ...
    def retired(self, twin: int) -> bool: ...
    def frozen_until(self, twin: int) -> int: ...
    def member(self, who: Address) -> Member | None: ...
    def blocked(self, twin: int, who: Address) -> bool: ...
    def grant(self, owner: Address, twin: int, grantee: Address, number: int) -> Grant: ...
    def epoch(self, owner: Address, twin: int) -> int: ...
    def closes_at(self, owner: Address, twin: int, grantee: Address, number: int, opener: Address) -> int:
        """When the opener's opening of the grant that stands in a slot ends (unix seconds); 0 if it has none."""
        ...


def check(facts: Facts, request: Request, earliest: int, latest: int) -> Reason:
    """The reason why `request` is permitted or refused, if now lies within [earliest, latest] (unix seconds).

    Raises:
        MalformedRequestError: slot, action, purpose, bit or times are not a question that the rule can answer.
    """
    _refuse_malformed(request, earliest, latest)
    owner = facts.owner(request.twin)
    if owner is None:
        return Reason.TWIN_UNKNOWN
    if facts.retired(request.twin):
        return Reason.RETIRED
    if earliest < facts.frozen_until(request.twin):
        return Reason.FROZEN
    if request.requester == owner and request.action is Action.READ and request.purpose is Purpose.PATRQT:
        return Reason.OWNER
    member = facts.member(request.requester)
    if member is None:
        return Reason.NOT_ENROLLED
    involved = {request.requester, request.grantee} | ({member.organisation} if member.organisation else set())
    if any(found.suspended for who in involved if (found := facts.member(who))):
        return Reason.SUSPENDED
    if any(facts.blocked(request.twin, who) for who in involved):
        return Reason.BLOCKED
    grant = facts.grant(owner, request.twin, request.grantee, request.number)
    if grant == EMPTY or request.grantee not in (request.requester, member.organisation):
        return Reason.NO_GRANT
    epoch = facts.epoch(owner, request.twin)
    if not grant.given or grant.epoch != epoch or epoch == MAX_EPOCH or grant.revision == MAX_REVISION:
        return Reason.REVOKED
    if earliest < grant.not_before_at:
        return Reason.NOT_YET
    if latest >= grant.expires_at:
        return Reason.EXPIRED
    reason = _judge_terms(grant, member, request)
    if reason is Reason.EMERGENCY_CLOSED:
        slot = (owner, request.twin, request.grantee, request.number)
        return Reason.PERMITTED if latest < facts.closes_at(*slot, request.requester) else reason
    return reason


def _judge_terms(grant: Grant, member: Member, request: Request) -> Reason:
    emergency = bool(grant.actions & Action.EMERGENCY.mask)
    allowed = Action.READ.mask if emergency else grant.actions
    if not allowed & request.action.mask:
        return Reason.ACTION
    if not grant.categories >> request.bit & 1:
        return Reason.CATEGORY
    if request.purpose is not None:
        purposes = Purpose.ETREAT.mask if emergency else grant.purposes
        if not purposes & request.purpose.mask:
            return Reason.PURPOSE
    if not grant.data.contains(request.period):
        return Reason.PERIOD
    needed = {Action.WRITE: Kind.GATEWAY, Action.TRAIN: Kind.RESEARCHER}.get(request.action)
    if emergency:
        needed = Kind.EMERGENCY
    if needed is not None and not member.is_a(needed):
        return Reason.KIND
    return Reason.EMERGENCY_CLOSED if emergency else Reason.PERMITTED


def _refuse_malformed(request: Request, earliest: int, latest: int) -> None:
    if ZERO_ADDRESS in (request.requester, request.grantee):
        raise MalformedRequestError("requester and grantee are accounts, not the zero address")
    if not 0 <= request.number < SLOTS:
        raise MalformedRequestError(f"a slot's number runs from 0 to {SLOTS - 1}: {request.number}")
    if request.action is Action.EMERGENCY:
        raise MalformedRequestError("EMERGENCY is a property of a grant, not something to ask for")
    if not 0 <= request.bit < 32:
        raise MalformedRequestError(f"a category bit runs from 0 to 31: {request.bit}")
    if (request.action is Action.WRITE) is not (request.purpose is None):
        raise MalformedRequestError("WRITE has no purpose, READ and TRAIN must name one")
    if not 0 <= earliest <= latest < 1 << 40:
        raise MalformedRequestError(f"times must run forwards: earliest {earliest}, latest {latest}")

"""Questions to the rule about one twin: what is asked, the facts that it is judged by, and each fault alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from dtledger.policy import EMPTY, Grant, Member, Request, check
from dtledger.types import Address, Period
from dtledger.vocabulary import Action, Purpose, Reason

OWNER, ASKER, HOSPITAL, OTHER = (Address(f"0x{number:040x}") for number in range(1, 5))
TWIN = 7
NOW = 1_800_000_000

GRANT = Grant(
    categories=1 << 3,
    purposes=Purpose.TREAT.mask,
    not_before_at=NOW - 100,
    expires_at=NOW + 100,
    data=Period(1000, 2000),
    actions=Action.READ.mask,
    revision=1,
    epoch=2,
)
REQUEST = Request(TWIN, ASKER, ASKER, 0, Action.READ, Purpose.TREAT, 3, Period(1000, 2000))


@dataclass(frozen=True)
class World:
    """The facts about one twin. By default the request above is permitted."""

    owned_by: Address | None = OWNER
    is_retired: bool = False
    frozen_till: int = 0
    members: dict[Address, Member] = field(default_factory=lambda: {ASKER: Member(0, None, 1)})
    blocks: frozenset[Address] = frozenset()
    grants: dict[tuple[Address, Address, int], Grant] = field(default_factory=lambda: {(OWNER, ASKER, 0): GRANT})
    epochs: dict[Address, int] = field(default_factory=lambda: {OWNER: 2})
    openings: dict[tuple[Address, Address, int, Address], int] = field(default_factory=dict)

    def owner(self, twin: int) -> Address | None:
        return self.owned_by if twin == TWIN else None

    def retired(self, twin: int) -> bool:
        return self.is_retired

    def frozen_until(self, twin: int) -> int:
        return self.frozen_till

    def member(self, who: Address) -> Member | None:
        return self.members.get(who)

    def blocked(self, twin: int, who: Address) -> bool:
        return who in self.blocks

    def grant(self, owner: Address, twin: int, grantee: Address, number: int) -> Grant:
        return self.grants.get((owner, grantee, number), EMPTY) if twin == TWIN else EMPTY

    def epoch(self, owner: Address, twin: int) -> int:
        return self.epochs.get(owner, 0)

    def closes_at(self, owner: Address, twin: int, grantee: Address, number: int, opener: Address) -> int:
        return self.openings.get((owner, grantee, number, opener), 0) if twin == TWIN else 0

    def with_grant(self, **changes: Any) -> World:
        present = self.grants.get((OWNER, ASKER, 0), GRANT)
        return replace(self, grants={**self.grants, (OWNER, ASKER, 0): replace(present, **changes)})

    def with_member(self, **changes: Any) -> World:
        return replace(self, members={**self.members, ASKER: replace(self.members[ASKER], **changes)})


@dataclass(frozen=True)
class Question:
    """All that a verdict depends on."""

    world: World = field(default_factory=World)
    request: Request = REQUEST
    earliest: int = NOW
    latest: int = NOW

    @property
    def verdict(self) -> Reason:
        return check(self.world, self.request, self.earliest, self.latest)


Change = Callable[[Question], Question]


def world(change: Callable[[World], World]) -> Change:
    return lambda question: replace(question, world=change(question.world))


def request(**changes: Any) -> Change:
    return lambda question: replace(question, request=replace(question.request, **changes))


FAULTS: tuple[tuple[Reason, Change], ...] = (
    (Reason.TWIN_UNKNOWN, world(lambda it: replace(it, owned_by=None))),
    (Reason.RETIRED, world(lambda it: replace(it, is_retired=True))),
    (Reason.FROZEN, world(lambda it: replace(it, frozen_till=NOW + 1))),
    (Reason.NOT_ENROLLED, world(lambda it: replace(it, members={}))),
    (Reason.SUSPENDED, world(lambda it: it.with_member(suspended=True) if it.members else it)),
    (Reason.BLOCKED, world(lambda it: replace(it, blocks=frozenset({ASKER})))),
    (Reason.NO_GRANT, world(lambda it: replace(it, grants={}))),
    (Reason.REVOKED, world(lambda it: replace(it, epochs={OWNER: 3}))),
    (Reason.NOT_YET, lambda question: replace(question, earliest=NOW - 101)),
    (Reason.EXPIRED, lambda question: replace(question, latest=NOW + 100)),
    (Reason.ACTION, request(action=Action.TRAIN)),
    (Reason.CATEGORY, request(bit=4)),
    (Reason.PURPOSE, request(purpose=Purpose.HRESCH)),
    (Reason.PERIOD, request(period=Period(999, 2000))),
)
"""Each fault alone, in the order in which the rule asks. Those below need a grant of another kind."""

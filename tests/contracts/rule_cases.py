"""20,000 questions to the rule, each with all that it asks of the ledger, for the rule written twice.

`tests/vectors/rule.json` holds them as one string of bytes, so that forge reads them quickly: 83 bytes a case,
numbers big-endian.

    0  32  grant      the word in the slot of (owner, twin 7, grantee, number)
    32  3  epoch      the owner's on the twin
    35  1  owner      an actor, or 0: there is no such twin
    36  1  retired    1 if a retirement is announced
    37  1  requester  an actor, or 0: the zero address
    38  1  grantee    an actor, or 0: the zero address
    39  1  number     the slot
    40  1  action     any byte
    41  1  purpose    0 to 14, or 32 and above: not those that the vocabulary may still name
    42  1  category   any byte
    43  4  from       minutes
    47  4  until      minutes
    51  5  earliest   seconds
    56  5  latest     seconds
    61  2  kinds      the requester's
    63  1  organisation  the requester's, an actor, or 0: none
    64  5  flags      of actors 1 to 5: 1 enrolled, 2 suspended, 4 blocked on the twin
    69  1  opener     an actor who opened an emergency in the slot, or 0: nobody
    70  2  opened     the slot's revision that it was opened on
    72  5  closesAt   seconds
    77  5  frozenUntil  seconds
    82  1  verdict    a number of `Reason`, or 255: malformed

Actor n has the address 0xAc7000…00n. A suspended actor is always an enrolled one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from functools import cache
from typing import Any

from dtledger import policy
from dtledger.policy import Grant, Member, Request
from dtledger.types import MAX_MINUTE, ZERO_ADDRESS, Address, Period
from dtledger.vocabulary import Action, Kind, Purpose, Reason
from tests import vectors

CASES = 20_000
TWIN = 7
MALFORMED = 255
WIDTHS = (32, 3, 1, 1, 1, 1, 1, 1, 1, 1, 4, 4, 5, 5, 2, 1, 1, 1, 1, 1, 1, 1, 2, 5, 5, 1)
SIZE = sum(WIDTHS)
ENROLLED, SUSPENDED, BLOCKED = 1, 2, 4

NOW = 1_800_000_000
FROM, UNTIL = 1000, 2000


@dataclass(frozen=True, slots=True)
class Case:
    """One question, the facts, and the verdict. In the order of the bytes."""

    grant: int
    epoch: int
    owner: int
    retired: int
    requester: int
    grantee: int
    number: int
    action: int
    purpose: int
    category: int
    start: int
    end: int
    earliest: int
    latest: int
    kinds: int
    organisation: int
    flags_1: int
    flags_2: int
    flags_3: int
    flags_4: int
    flags_5: int
    opener: int
    opened: int
    closes_at: int
    frozen_until: int = 0
    verdict: int = MALFORMED

    def flags(self, actor: int) -> int:
        return (0, self.flags_1, self.flags_2, self.flags_3, self.flags_4, self.flags_5)[actor]

    def encode(self) -> bytes:
        return b"".join(value.to_bytes(width, "big") for value, width in zip(astuple(self), WIDTHS, strict=True))

    @classmethod
    def decode(cls, data: bytes) -> Case:
        values, place = [], 0
        for width in WIDTHS:
            values.append(int.from_bytes(data[place : place + width], "big"))
            place += width
        return cls(*values)


def address(actor: int) -> Address:
    return Address(f"0xAc7{actor:037x}") if actor else ZERO_ADDRESS


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """The `policy.Facts` of one case."""

    case: Case

    def owner(self, twin: int) -> Address | None:
        return address(self.case.owner) if twin == TWIN and self.case.owner else None

    def retired(self, twin: int) -> bool:
        return twin == TWIN and bool(self.case.retired)

    def frozen_until(self, twin: int) -> int:
        return self.case.frozen_until if twin == TWIN else 0

    def member(self, who: Address) -> Member | None:
        actor = int(who[-1])
        flags = self.case.flags(actor)
        if not flags & ENROLLED:
            return None
        asks = actor == self.case.requester
        organisation = address(self.case.organisation) if asks and self.case.organisation else None
        return Member(self.case.kinds if asks else 0, organisation, 1, bool(flags & SUSPENDED))

    def blocked(self, twin: int, who: Address) -> bool:
        return twin == TWIN and bool(self.case.flags(int(who[-1])) & BLOCKED)

    def grant(self, owner: Address, twin: int, grantee: Address, number: int) -> Grant:
        slot = (address(self.case.owner), TWIN, address(self.case.grantee), self.case.number)
        return Grant.unpack(self.case.grant) if (owner, twin, grantee, number) == slot else policy.EMPTY

    def epoch(self, owner: Address, twin: int) -> int:
        return self.case.epoch if (owner, twin) == (address(self.case.owner), TWIN) else 0

    def closes_at(self, owner: Address, twin: int, grantee: Address, number: int, opener: Address) -> int:
        if not self.case.opener or opener != address(self.case.opener):
            return 0
        return self.case.closes_at if self.grant(owner, twin, grantee, number).revision == self.case.opened else 0


def judge(case: Case) -> int:
    """What `dtledger.policy` answers: a number of `Reason`, or `MALFORMED`."""
    try:
        request = Request(
            twin=TWIN,
            requester=address(case.requester),
            grantee=address(case.grantee),
            number=case.number,
            action=Action(case.action),
            purpose=Purpose(case.purpose) if case.purpose else None,
            bit=case.category,
            period=Period(case.start, case.end),
        )
        return policy.check(CaseFacts(case), request, case.earliest, case.latest)
    except ValueError:
        return MALFORMED


# How cases are made: one that is permitted, in which some things are then changed, mostly by one around a boundary.


def _permitted(rng: random.Random) -> Case:
    """A request that its grant permits, by the grantee itself (actor 2) or a member of it (actor 2 of 3)."""
    action = rng.choice([Action.READ, Action.READ, Action.WRITE, Action.TRAIN])
    purpose = 0 if action is Action.WRITE else rng.choice([Purpose.TREAT, Purpose.ETREAT, Purpose.HRESCH])
    category = rng.choice([0, 3, 31])
    word = Grant(
        categories=1 << category | rng.getrandbits(32) & rng.getrandbits(32),
        purposes=1 << purpose & ~1 | rng.getrandbits(15) & rng.getrandbits(15),
        not_before_at=NOW,
        expires_at=NOW + 100,
        data=Period(FROM, UNTIL),
        actions=action.mask | rng.getrandbits(3),
        revision=rng.choice([1, 2, 65534]),
        epoch=rng.choice([0, 1, 2**24 - 2]),
    )
    organisation = rng.choice([0, 3, 3])
    return Case(
        grant=word.pack(),
        epoch=word.epoch,
        owner=1,
        retired=0,
        requester=2,
        grantee=organisation if organisation and rng.random() < 0.6 else 2,
        number=rng.randrange(8),
        action=action,
        purpose=purpose,
        category=category,
        start=rng.choice([FROM, FROM + 1]),
        end=rng.choice([UNTIL, UNTIL - 1]),
        earliest=rng.choice([NOW, NOW + 1]),
        latest=rng.choice([NOW + 99, NOW + 98]),
        kinds=Kind.GATEWAY.mask | Kind.RESEARCHER.mask | Kind.EMERGENCY.mask | rng.getrandbits(9),
        organisation=organisation,
        flags_1=0,
        flags_2=ENROLLED,
        flags_3=ENROLLED,
        flags_4=0,
        flags_5=0,
        opener=0,
        opened=0,
        closes_at=0,
    )


Change = Callable[[Case, random.Random], Case]


def _word(**fields: Callable[[random.Random], Any]) -> Change:
    def change(case: Case, rng: random.Random) -> Case:
        drawn = {name: draw(rng) for name, draw in fields.items()}
        return replace(case, grant=replace(Grant.unpack(case.grant), **drawn).pack())

    return change


def _field(name: str, *values: int) -> Change:
    return lambda case, rng: replace(case, **{name: rng.choice(values)})


def _flag(bit: int) -> Change:
    def change(case: Case, rng: random.Random) -> Case:
        actor = rng.choice([1, 2, 2, 3, 3, 4])
        flags = case.flags(actor) ^ bit
        return replace(case, **{f"flags_{actor}": flags | ENROLLED if flags & SUSPENDED else flags})

    return change


def _by_the_owner(case: Case, rng: random.Random) -> Case:
    action, purpose = rng.choice([(0, Purpose.PATRQT), (0, Purpose.PATRQT), (0, 1), (1, 0), (2, Purpose.PATRQT)])
    return replace(case, requester=1, action=action, purpose=purpose)


def _emergency(case: Case, rng: random.Random) -> Case:
    word = replace(Grant.unpack(case.grant), actions=Action.EMERGENCY.mask | rng.getrandbits(3))
    action, purpose = rng.choice([(0, Purpose.ETREAT)] * 6 + [(0, Purpose.TREAT), (1, 0), (2, Purpose.ETREAT)])
    return replace(case, grant=word.pack(), action=action, purpose=purpose)


def _opened(case: Case, rng: random.Random) -> Case:
    """A grant that sleeps, mostly woken by who asks and for this very grant."""
    case = _emergency(case, rng)
    revision = Grant.unpack(case.grant).revision
    return replace(
        case,
        opener=rng.choice([case.requester] * 6 + [1, 3, 4, 0]),
        opened=rng.choice([revision] * 6 + [max(revision - 1, 0), min(revision + 1, 65535)]),
        closes_at=rng.choice(
            [min(case.latest, 2**40 - 2) + 1] * 5 + [case.latest, max(case.latest - 1, 0), NOW + 50, 2**40 - 1, 0]
        ),
    )


def _revoked(case: Case, _: random.Random) -> Case:
    word = Grant.unpack(case.grant)
    return replace(case, grant=Grant(revision=word.revision, epoch=word.epoch).pack())


def _at_the_last_epoch(case: Case, _: random.Random) -> Case:
    """Owner and grant both: the one case in which equal epochs do not permit."""
    word = replace(Grant.unpack(case.grant), epoch=policy.MAX_EPOCH)
    return replace(case, epoch=policy.MAX_EPOCH, grant=word.pack())


def _periods(rng: random.Random) -> Period:
    start = rng.choice([0, FROM - 1, FROM, FROM + 1, UNTIL, MAX_MINUTE])
    return Period(start, max(start, rng.choice([0, FROM, UNTIL - 1, UNTIL, UNTIL + 1, MAX_MINUTE])))


CHANGES: tuple[Change, ...] = (
    _field("owner", 0),
    _field("owner", 2, 3, 4),
    _field("retired", 1),
    _field("frozen_until", NOW, NOW + 1, NOW + 2, NOW + 99, 2**40 - 1),
    _by_the_owner,
    _field("requester", 0, 1, 3, 4),
    _field("grantee", 0, 1, 2, 3, 4),
    _field("organisation", 0, 2, 3, 4),
    _field("number", 7, 8, 255),
    _field("action", 0, 1, 2, 3, 4, 255),
    _field("purpose", 0, 1, 2, 3, 8, 11, 14, 32, 255),
    _field("category", 0, 1, 3, 30, 31, 32, 255),
    _field("start", 0, FROM - 1, FROM, UNTIL, MAX_MINUTE, MAX_MINUTE + 1, 2**32 - 1),
    _field("end", 0, FROM, UNTIL, UNTIL + 1, MAX_MINUTE, MAX_MINUTE + 1, 2**32 - 1),
    _field("earliest", 0, NOW - 1, NOW, NOW + 99, NOW + 100, 2**40 - 1),
    _field("latest", 0, NOW - 1, NOW, NOW + 99, NOW + 100, 2**40 - 1),
    _field("kinds", 0, *(kind.mask for kind in Kind)),
    _field("kinds", 0),
    _field("epoch", 0, 1, 2, 2**24 - 2, 2**24 - 1),
    _flag(ENROLLED),
    _flag(SUSPENDED),
    _flag(BLOCKED),
    _emergency,
    _opened,
    _opened,
    _revoked,
    _at_the_last_epoch,
    lambda case, _: replace(case, grant=0),
    _word(actions=lambda rng: rng.randrange(16)),
    _word(purposes=lambda rng: rng.getrandbits(32)),
    _word(categories=lambda rng: rng.getrandbits(32)),
    _word(data=_periods),
    _word(not_before_at=lambda rng: rng.choice([0, NOW, NOW + 1, NOW + 2, 2**40 - 1])),
    _word(expires_at=lambda rng: rng.choice([0, NOW + 98, NOW + 99, NOW + 100, 2**40 - 1])),
    _word(revision=lambda rng: rng.choice([0, 1, 65534, 65535])),
    _word(epoch=lambda rng: rng.choice([0, 1, 2**24 - 2, 2**24 - 1])),
)


@cache
def committed() -> list[Case]:
    """Those of tests/vectors/rule.json, which forge puts to the contract."""
    data = bytes.fromhex(vectors.load("rule.json")["cases"][2:])
    assert len(data) % SIZE == 0
    return [Case.decode(data[place : place + SIZE]) for place in range(0, len(data), SIZE)]


def make(count: int = CASES, seed: int = 20_006) -> list[Case]:
    """Always the same cases: each change alone in turn, then with up to three more."""
    rng = random.Random(seed)
    cases = []
    for place in range(count):
        case = _permitted(rng)
        chosen = [CHANGES[place % len(CHANGES)]] if place % 8 else []
        chosen += rng.choices(CHANGES, k=rng.choice([0, 0, 0, 1, 1, 2, 3]))
        for change in chosen:
            case = change(case, rng)
        cases.append(replace(case, verdict=judge(case)))
    return cases


REASONS = sorted({int(reason) for reason in Reason if reason.is_of_the_rule} | {MALFORMED})
"""The verdicts that cases can have."""

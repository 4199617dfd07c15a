"""The rule as a decision table: every row is asked, whatever the others say, and the first that applies is the answer.

Written from the design's words for the bytes of `tests.contracts.rule_cases`, without `dtledger.policy`: of the rule's
three writings (the third is `contracts/libraries/Rule.sol`) this one is to be read, not to be fast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.contracts.rule_cases import Case

MALFORMED = 255
READ, WRITE, TRAIN = 0, 1, 2
ETREAT, PATRQT = 2, 11
GATEWAY, RESEARCHER, EMERGENCY_MEMBER = 1, 3, 6
EMERGENCY_BIT = 3


@dataclass(frozen=True)
class Word:
    """The bytes of a grant's word, cut where `contracts/types/Grant.sol` says."""

    raw: bytes

    def number(self, first: int, length: int) -> int:
        return int.from_bytes(self.raw[first : first + length])

    def holds(self, first: int, length: int, bit: int) -> bool:
        return f"{self.number(first, length):032b}"[::-1][bit] == "1"

    def category(self, bit: int) -> bool:
        return self.holds(0, 4, bit)

    def purpose(self, bit: int) -> bool:
        return self.holds(4, 4, bit)

    def action(self, bit: int) -> bool:
        return self.holds(26, 1, bit)

    @property
    def not_before_at(self) -> int:
        return self.number(8, 5)

    @property
    def expires_at(self) -> int:
        return self.number(13, 5)

    @property
    def minutes(self) -> range:
        return range(self.number(18, 4), self.number(22, 4) + 1)

    @property
    def actions(self) -> int:
        return self.number(26, 1)

    @property
    def revision(self) -> int:
        return self.number(27, 2)

    @property
    def epoch(self) -> int:
        return self.number(29, 3)


def word(case: Case) -> Word:
    return Word(case.grant.to_bytes(32))


def involved(case: Case) -> list[int]:
    """Whose suspension and block count: requester, grantee, and the organisation of an enrolled requester."""
    enrolled = case.flags(case.requester) & 1
    return [case.requester, case.grantee, *([case.organisation] if enrolled and case.organisation else [])]


def sleeps(case: Case) -> bool:
    return word(case).action(EMERGENCY_BIT)


def opened(case: Case) -> bool:
    """Whether who asks opened this very grant, and it is not over yet at the latest that it may be."""
    this_one = (case.opener, case.opened) == (case.requester, word(case).revision)
    return this_one and case.latest < case.closes_at


def has_kind(case: Case, kind: int) -> bool:
    return f"{case.kinds:016b}"[::-1][kind] == "1"


def malformed(case: Case) -> bool:
    return (
        0 in (case.requester, case.grantee)
        or case.number not in range(8)
        or case.action not in (READ, WRITE, TRAIN)
        or (case.action == WRITE and case.purpose != 0)
        or (case.action != WRITE and case.purpose not in range(1, 32))
        or case.category not in range(32)
        or not case.start <= case.end < 2**30
        or case.earliest > case.latest
    )


def action_refused(case: Case) -> bool:
    return case.action != READ if sleeps(case) else not word(case).action(case.action)


def purpose_refused(case: Case) -> bool:
    if case.action == WRITE:
        return False
    return case.purpose != ETREAT if sleeps(case) else not word(case).purpose(case.purpose)


def kind_refused(case: Case) -> bool:
    needs = {WRITE: [GATEWAY], TRAIN: [RESEARCHER], READ: []}[case.action] if not sleeps(case) else [EMERGENCY_MEMBER]
    return not all(has_kind(case, kind) for kind in needs)


TABLE: tuple[tuple[int, Callable[[Case], bool]], ...] = (
    (MALFORMED, malformed),
    (2, lambda case: case.owner == 0),
    (3, lambda case: case.retired == 1),
    (4, lambda case: case.earliest < case.frozen_until),
    (1, lambda case: (case.requester, case.action, case.purpose) == (case.owner, READ, PATRQT)),
    (5, lambda case: case.flags(case.requester) & 1 == 0),
    (6, lambda case: any(case.flags(actor) & 2 for actor in involved(case))),
    (7, lambda case: any(case.flags(actor) & 4 for actor in involved(case))),
    (8, lambda case: not any(word(case).raw) or case.grantee not in (case.requester, case.organisation)),
    (9, lambda case: word(case).actions == 0),
    (9, lambda case: word(case).epoch != case.epoch),
    (9, lambda case: case.epoch == 0xFFFFFF or word(case).revision == 0xFFFF),
    (10, lambda case: case.earliest < word(case).not_before_at),
    (11, lambda case: case.latest >= word(case).expires_at),
    (12, action_refused),
    (13, lambda case: not word(case).category(case.category)),
    (14, purpose_refused),
    (15, lambda case: case.start not in word(case).minutes or case.end not in word(case).minutes),
    (16, kind_refused),
    (17, lambda case: sleeps(case) and not opened(case)),
    (0, lambda _: True),
)


def judge(case: Case) -> int:
    """The number of the `Reason`, or `MALFORMED`."""
    if malformed(case):
        return MALFORMED  # the rows below it are not meant for such a request
    return next(verdict for verdict, applies in TABLE if applies(case))

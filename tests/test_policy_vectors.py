"""The vectors of the rule: judged alike by the decision table, and on both sides of every boundary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from dtledger.policy import MAX_EPOCH, MAX_REVISION
from dtledger.types import MAX_MINUTE
from dtledger.vocabulary import Reason
from tests import naive_rule
from tests.contracts import rule_cases
from tests.contracts.rule_cases import Case


def _word(case: Case) -> naive_rule.Word:
    return naive_rule.word(case)


BOUNDARIES: dict[str, Callable[[Case], bool]] = {
    "earliest just before the grant": lambda case: case.earliest == _word(case).not_before_at - 1,
    "earliest as the grant begins": lambda case: case.earliest == _word(case).not_before_at,
    "latest just before the end": lambda case: case.latest == _word(case).expires_at - 1,
    "latest at the end": lambda case: case.latest == _word(case).expires_at,
    "earliest just before the end of a freeze": lambda case: case.earliest == case.frozen_until - 1,
    "earliest as a freeze ends": lambda case: case.earliest == case.frozen_until,
    "earliest after latest": lambda case: case.earliest > case.latest,
    "the last epoch": lambda case: case.epoch == _word(case).epoch == MAX_EPOCH,
    "the last epoch but one": lambda case: case.epoch == _word(case).epoch == MAX_EPOCH - 1,
    "the last revision": lambda case: _word(case).revision == MAX_REVISION,
    "the last revision but one": lambda case: _word(case).revision == MAX_REVISION - 1,
    "the period's first minute": lambda case: case.start == _word(case).minutes.start,
    "one minute before it": lambda case: case.start == _word(case).minutes.start - 1,
    "the period's last minute": lambda case: case.end == _word(case).minutes.stop - 1,
    "one minute after it": lambda case: case.end == _word(case).minutes.stop,
    "the last minute of all": lambda case: case.end == MAX_MINUTE,
    "the first minute beyond all": lambda case: case.end == MAX_MINUTE + 1,
    "an emergency grant": naive_rule.sleeps,
    "an organisation's grant": lambda case: case.grantee == case.organisation != 0,
    "another organisation's grant": lambda case: case.grantee not in (case.requester, case.organisation),
    "a suspended organisation": lambda case: bool(case.flags(case.organisation) & 2),
    "a blocked organisation": lambda case: bool(case.flags(case.organisation) & 4),
    "the first category bit": lambda case: case.category == 0,
    "the last category bit": lambda case: case.category == 31,
    "the first bit beyond": lambda case: case.category == 32,
    "the last slot": lambda case: case.number == 7,
    "the first slot beyond": lambda case: case.number == 8,
    "a purpose for WRITE": lambda case: case.action == 1 and case.purpose != 0,
    "no purpose for READ": lambda case: case.action == 0 and case.purpose == 0,
}


@pytest.mark.slow
class TestTheVectors:
    """tests/vectors/rule.json, which forge puts to `ConsentRegistry.check`."""

    def test_are_judged_by_the_table_as_they_say(self) -> None:
        """Their verdicts are `dtledger.policy`'s (tests/contracts/test_rule.py): here another hand looks at each."""
        wrong = [
            (case, naive_rule.judge(case)) for case in rule_cases.committed() if naive_rule.judge(case) != case.verdict
        ]
        assert wrong == []

    def test_are_many_and_of_every_verdict(self) -> None:
        assert len(rule_cases.committed()) >= 20_000
        found = Counter(case.verdict for case in rule_cases.committed())
        assert set(found) == {*Reason, rule_cases.MALFORMED}
        assert min(found.values()) >= 200

    @pytest.mark.parametrize("boundary", BOUNDARIES)
    def test_lie_at_every_boundary(self, boundary: str) -> None:
        at = [case for case in rule_cases.committed() if BOUNDARIES[boundary](case)]
        assert len(at) >= 20
        assert len({case.verdict for case in at}) >= 2 or all(case.verdict == rule_cases.MALFORMED for case in at)

"""The rule written twice is one rule: what `Rule.t.sol` puts to the contract is put to `dtledger.policy` here."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.contracts import rule_cases
from tests.contracts.rule_cases import committed


@pytest.mark.slow
def test_the_policy_gives_the_verdict_of_every_case() -> None:
    wrong = [(place, case) for place, case in enumerate(committed()) if rule_cases.judge(case) != case.verdict]
    assert not wrong


@pytest.mark.slow
def test_there_are_twenty_thousand_cases_and_enough_of_every_verdict() -> None:
    seen = Counter(case.verdict for case in committed())
    assert seen.total() >= 20_000
    assert sorted(seen) == rule_cases.REASONS
    assert min(seen.values()) >= 100


@pytest.mark.slow
def test_the_committed_cases_are_those_that_the_generator_makes() -> None:
    assert committed() == rule_cases.make()

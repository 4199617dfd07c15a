"""Training on five validators: two sites, each on twins of its own patients. These are the tests of
`tests/client/test_training.py` that do not ask for model 1 of a new ledger; an opening is test_audits'."""

from __future__ import annotations

import pytest

from tests.client.test_training import TestACommitment as Commitment
from tests.models.scene import Scene
from tests.network.world import NetworkWorld


@pytest.fixture
def scene(dtledger_world: NetworkWorld) -> Scene:
    return Scene(dtledger_world)


class TestACommitment:
    test_is_to_the_twins_that_are_named = Commitment.test_is_to_the_twins_that_are_named
    test_without_any_consent_is_refused = Commitment.test_without_any_consent_is_refused
    test_is_made_once_a_round_while_it_is_open = Commitment.test_is_made_once_a_round_while_it_is_open
    test_is_an_active_researchers = Commitment.test_is_an_active_researchers
    test_is_over_the_least_cohort = Commitment.test_is_over_the_least_cohort

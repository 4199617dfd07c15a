"""The race between a revocation and readers who ask custodians over HTTP as fast as they can."""

from __future__ import annotations

import pytest

from scripts.benchmarks.racing import WARM_UP, race
from scripts.benchmarks.world import devnet_world

pytestmark = [pytest.mark.anvil, pytest.mark.slow]

READS = 3_000
"""`scripts/bench --year race` asks 100,000 times."""


def test_nothing_that_was_asked_for_after_a_revocation_is_opened() -> None:
    with devnet_world() as world:
        ran = race(world, READS)
    assert ran.before >= WARM_UP - len(world.custodians)
    assert len(ran.after) >= READS
    assert len(ran.first_refusals) == len(world.custodians) == 3
    assert ran.permits_after == 0

"""Many readers at once: every answer leaves a receipt, nobody meets an error, and no custodian grows without end."""

from __future__ import annotations

import pytest

from scripts.benchmarks.loading import load
from scripts.benchmarks.world import devnet_world

pytestmark = [pytest.mark.anvil, pytest.mark.slow]

READERS, SECONDS = 20, 10.0
"""`scripts/bench --year load` has 200 readers for two minutes."""

MOST_GROWN = 64 * 2**20


def test_no_error_no_lost_receipt_and_no_growth() -> None:
    with devnet_world() as world:
        ran = load(world, READERS, SECONDS)
    assert ran.errors == []
    assert len(ran.shots) > READERS
    assert all(each.permitted for each in ran.shots)
    assert len(ran.receipts) == 3
    assert ran.lost == 0
    assert all(end - half < MOST_GROWN for half, end in ran.memory)

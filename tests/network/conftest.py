"""The fixtures of `tests/client` on five validators."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.network.ground import Ground
from tests.network.world import NetworkWorld


@pytest.fixture
def dtledger_world(five: Ground) -> Iterator[NetworkWorld]:
    """Instead of the one in memory."""
    with NetworkWorld(five) as world:
        yield world


@pytest.fixture
def world(dtledger_world: NetworkWorld) -> NetworkWorld:
    return dtledger_world

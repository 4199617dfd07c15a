from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtledger.testing import World

from .asking import Desk


@pytest.fixture
def world() -> Iterator[World]:
    with World(hours=2) as world:
        yield world


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)

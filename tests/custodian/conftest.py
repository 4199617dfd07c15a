from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtledger.testing import World

from .asking import Desk
from .over_http import Standin, over_http, served


@pytest.fixture(scope="session")
def standins() -> Iterator[list[Standin]]:
    with served(3) as standins:
        yield standins


@pytest.fixture(params=["in the process", "over HTTP"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The custodians are asked both ways: the same requests have the same outcomes."""
    with World(hours=2) as world:
        if request.param == "in the process":
            yield world
        else:
            with over_http(world, request.getfixturevalue("standins")):
                yield world


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)

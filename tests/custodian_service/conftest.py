"""Worlds whose custodians are services."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtledger.testing import World
from tests.custodian.asking import Desk

from .over_http import Standin, over_http, served


@pytest.fixture(scope="session")
def standins() -> Iterator[list[Standin]]:
    with served(3) as standins:
        yield standins


@pytest.fixture
def world(standins: list[Standin]) -> Iterator[World]:
    with World(hours=2) as world, over_http(world, standins):
        yield world


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)

"""A fresh scene for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtledger.testing import World

from .scene import Scene


@pytest.fixture
def scene() -> Iterator[Scene]:
    with World(hours=1) as world:
        yield Scene(world)

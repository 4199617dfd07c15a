"""A world for each attack, and the read that it is to be found by."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtledger.testing import World


@pytest.fixture
def world() -> Iterator[World]:
    with World(hours=2) as world:
        yield world

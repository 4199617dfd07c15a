"""A fresh scene for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dtledger.testing import World

from .scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with World(hours=1) as world:
        yield Scene(world, tmp_path)

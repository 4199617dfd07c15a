"""A world for metrics of a custodian."""

from __future__ import annotations

import pytest

from dtledger.testing import World


@pytest.fixture
def world() -> World:
    return World()

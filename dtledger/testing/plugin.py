"""The pytest plugin: a world for each test that asks for one.

    def test_the_ward_sees_the_last_hour(dtledger_world):
        world = dtledger_world
        assert world.clinician.read(world.twin, "glucose", "TREAT", since="1h")

An installed dtledger brings it along; nothing is imported until a test asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .world import World


@pytest.fixture
def dtledger_world() -> Iterator[World]:
    """A `dtledger.testing.World`: patient, clinician, gateway, custodians and a twin with readings, in memory."""
    from .world import World

    with World() as world:
        yield world

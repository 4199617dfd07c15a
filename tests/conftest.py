"""What all tests share. `--hypothesis-profile long` looks ten times as far for what breaks a property, `fast` a tenth
as far."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests import postgres

if TYPE_CHECKING:
    from tests.network.ground import Ground

TIMELESS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
settings.register_profile("timeless", TIMELESS)
settings.register_profile("long", TIMELESS, max_examples=1000)
settings.register_profile("fast", TIMELESS, max_examples=10)
settings.load_profile("timeless")


@pytest.fixture(scope="session")
def _cluster() -> Iterator[postgres.Cluster]:
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.cluster() as running:
        yield running


@pytest.fixture
def cluster(_cluster: postgres.Cluster) -> Iterator[postgres.Cluster]:
    """A PostgreSQL server, with nothing in it; for tests that are marked `postgres`."""
    _cluster.wake()
    yield _cluster
    _cluster.wake()
    _cluster.clear()


@pytest.fixture(scope="session")
def five() -> Iterator[Ground]:
    """Five validators and all that belongs to them, for tests marked `network`; started once."""
    from tests.network.ground import started

    with started() as ground:
        yield ground

"""A run in the scene of `tests/models`, for each test anew."""

from __future__ import annotations

import pytest

from tests.audit.runs import Run
from tests.models.conftest import scene
from tests.models.scene import Scene

__all__ = ["run", "scene"]


@pytest.fixture
def run(scene: Scene) -> Run:
    return Run(scene)

"""One chain for all modules, put back to its beginning for each, and to the module's own beginning for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash.scene import Scene, set_scene


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    scene = set_scene(tmp_path_factory.mktemp("scene"))
    yield scene
    scene.devnet.down()


@pytest.fixture(scope="module")
def stage(ground: Scene) -> Scene:
    """How a module's tests find the scene; a module that needs more overrides it, and keeps it."""
    ground.restart()
    return ground


@pytest.fixture
def scene(stage: Scene) -> Scene:
    stage.restore()
    return stage

"""One chain for each module, put back between tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash.scene import Scene, set_scene


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    scene = set_scene(tmp_path_factory.mktemp("scene"))
    yield scene
    scene.devnet.down()


@pytest.fixture
def scene(stage: Scene) -> Scene:
    stage.restore()
    return stage

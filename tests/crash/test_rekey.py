"""A rekey that dies at any of its writes: everybody reads in between, and run again it ends with one generation."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dtledger.readings import Reading
from tests.crash.deaths import survived
from tests.crash.operations import grant, import_file, rekey
from tests.crash.scene import READINGS, TWIN, Scene

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def stage(stage: Scene) -> Scene:
    """With readings that cardiology may read."""
    import_file(stage.home.root)
    grant(stage.home.root)
    stage.keep()
    return stage


def assert_all_is_read(scene: Scene, more: int) -> None:
    """Cardiology reads what there was, and `more` that the gateway and the owner write now."""
    with scene.client("gateway") as gateway, scene.client("patient") as patient:
        for place, writer in enumerate((gateway, patient), start=2 * more):
            seconds = int(time.time()) - 600 + place
            writer.writer.put(TWIN, "glucose", [Reading(seconds, 5.0 + place, "mmol/L", 0)])
    with scene.client("cardiology") as cardiology:
        assert len(cardiology.read(TWIN, "glucose", "TREAT")) == READINGS + 2 * more


def survive(scene: Scene, **how: Any) -> int:
    def whole() -> None:
        assert_all_is_read(scene, 1)
        with scene.client("patient") as patient:
            if patient.twins.is_rekeying(TWIN) or patient.twins.generation(TWIN) == 0:
                patient.twins.rekey(TWIN)
            assert patient.twins.generation(TWIN) == 1
            assert not patient.twins.is_rekeying(TWIN)
        assert_all_is_read(scene, 2)

    return len(survived(rekey, scene.home.root, scene.restore, whole, **how))


def test_killed_at_some_writes_everybody_reads_and_it_ends_when_it_is_run_again(scene: Scene) -> None:
    assert survive(scene, only=range(2, 40, 5)) >= 3


@pytest.mark.slow
def test_killed_at_each_write_everybody_reads_and_it_ends_when_it_is_run_again(scene: Scene) -> None:
    assert survive(scene) >= 10

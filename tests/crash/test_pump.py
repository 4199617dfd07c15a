"""A gateway that dies at any write of its pump loses no reading that it acknowledged, and writes none twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crash.deaths import Death, survived
from tests.crash.operations import pump
from tests.crash.scene import HOURS, TWIN, Scene, values

pytestmark = pytest.mark.anvil


def assert_nothing_twice(scene: Scene) -> None:
    with scene.client("patient") as patient:
        found = values(patient.read(TWIN, "glucose", "PATRQT"))
    assert len(set(found)) == len(found)
    assert set(found) <= set(values(scene.readings))


def assert_all_there_once(scene: Scene) -> None:
    with scene.client("patient") as patient:
        found = patient.read(TWIN, "glucose", "PATRQT")
        assert values(found) == values(scene.readings)
        assert (found.snapshots, found.uncounted) == (HOURS, 0)
        batches = patient.context.view().batches(scene.address("gateway"))
        assert [batch.count for batch in batches] == [2, 1]


def survive(scene: Scene, **how: Any) -> list[Death]:
    def whole() -> None:
        assert_nothing_twice(scene)
        pump(scene.home.root)
        assert_all_there_once(scene)

    return survived(pump, scene.home.root, scene.restore, whole, **how)


@pytest.mark.slow
def test_killed_at_each_write_it_is_as_if_it_had_lived(scene: Scene) -> None:
    assert len(survive(scene)) > 25


def test_killed_at_some_writes_it_is_as_if_it_had_lived(scene: Scene) -> None:
    survive(scene, only=range(2, 60, 5))


@pytest.mark.parametrize("broken", ["forgets_before_it_anchors", "acknowledges_before_it_syncs"])
def test_a_gateway_that_forgets_too_early_loses_readings(scene: Scene, broken: str) -> None:
    with pytest.raises(AssertionError, match="killed at write"):
        survive(scene, broken=broken, only=range(2, 40))

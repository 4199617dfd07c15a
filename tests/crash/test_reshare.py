"""A re-share that dies at any of its writes: everything is read in between, and run again it ends."""

from __future__ import annotations

from typing import Any

import pytest

from dtledger.errors import DtledgerError
from tests.crash.deaths import deaths
from tests.crash.operations import import_file, reshare
from tests.crash.scene import TWIN, Scene, values

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def stage(stage: Scene) -> Scene:
    """With readings."""
    import_file(stage.home.root)
    stage.keep()
    return stage


def assert_all_is_read(scene: Scene) -> None:
    with scene.client("patient") as patient:
        assert values(patient.read(TWIN, "glucose", "PATRQT")) == values(scene.readings)


def survive(scene: Scene, **how: Any) -> int:
    died = 0
    for death in deaths(reshare, scene.home.root, scene.restore, **how):
        died += 1
        try:
            assert_all_is_read(scene)
            reshare(scene.home.root)
            assert_all_is_read(scene)
            with scene.client("patient") as patient:
                roster = patient.twins.roster(TWIN)
                assert (len(roster.keys), roster.threshold) == (2, 1)
                assert patient.resharing.plan(TWIN, roster.custodians, 1).snapshots == 0
                assert "resharing" not in patient.context.key.secrets.extra
        except (AssertionError, DtledgerError) as error:
            raise AssertionError(f"{death}: {error}") from error
    return died


def test_killed_at_some_writes_everything_is_read_and_it_ends_when_it_is_run_again(scene: Scene) -> None:
    assert survive(scene, only=range(2, 60, 7)) >= 3


@pytest.mark.slow
def test_killed_at_each_write_everything_is_read_and_it_ends_when_it_is_run_again(scene: Scene) -> None:
    assert survive(scene) >= 10

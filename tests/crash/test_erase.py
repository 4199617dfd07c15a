"""The end of a twin that dies at any of its writes, in the owner's client or in a custodian's folder: nothing is read
in between, and the next try has every pair destroyed and signed for."""

from __future__ import annotations

import pytest

from dtledger.errors import AccessDeniedError
from dtledger.vocabulary import Reason
from tests.crash.deaths import survived
from tests.crash.operations import LATER, erase, import_file, later
from tests.crash.scene import TWIN, Scene

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def stage(stage: Scene) -> Scene:
    """With readings, and a retirement that is announced."""
    import_file(stage.home.root)
    with stage.client("patient") as patient:
        patient.erasing.announce(TWIN)
    stage.keep()
    return stage


def pairs(scene: Scene) -> int:
    """Key pairs of the twin that custodians have on their disks."""
    return len([*scene.home.custodians.glob(f"*/twins/{TWIN}-0x*.key")])


def assert_unreadable(scene: Scene) -> None:
    with later(scene.home.root, "patient") as patient, pytest.raises(AccessDeniedError) as refused:
        patient.read(TWIN, "glucose", "PATRQT")
    assert refused.value.reason is Reason.RETIRED


def survive(scene: Scene, **how: object) -> int:
    def whole() -> None:
        assert_unreadable(scene)
        erase(scene.home.root)
        assert_unreadable(scene)
        assert pairs(scene) == 0
        assert len([*scene.home.custodians.rglob(f"{TWIN}.destroyed")]) == 3

    return len(survived(erase, scene.home.root, lambda: scene.restore_later(LATER), whole, **how))


def test_killed_at_some_writes_it_is_finished_by_the_next_try(scene: Scene) -> None:
    scene.restore_later(LATER)
    assert pairs(scene) == 3
    assert survive(scene, only=range(1, 60, 8)) >= 3

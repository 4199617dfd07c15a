"""A correction that dies at any of its writes is there whole or not at all, and made again it is there once."""

from __future__ import annotations

from typing import Any

import pytest

from dtledger._backend.write_journal import WriteJournal
from tests.crash.deaths import Death, run_killed, survived
from tests.crash.operations import CORRECTED, amend, import_file
from tests.crash.scene import HOURS, TWIN, Scene, values

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def stage(stage: Scene) -> Scene:
    """With readings."""
    import_file(stage.home.root)
    stage.keep()
    return stage


def assert_whole_or_not_there(scene: Scene) -> int:
    """The original values, or the corrected ones, and the others whichever; returns how often it was corrected."""
    original = values(scene.readings)
    corrected = [original[0], (original[1][0], CORRECTED), *original[3:]]
    with scene.client("patient") as patient:
        found = patient.read(TWIN, "glucose", "PATRQT", originals=True)
    corrections = found.snapshots - HOURS
    standing = [each for each in found if not each.superseded_by]
    assert values(standing) == (corrected if corrections else original)
    assert set(original) <= set(values(found))
    assert len(found.amendments) == min(corrections, 1)
    return corrections


def survive(scene: Scene, **how: Any) -> int:
    def whole() -> None:
        assert assert_whole_or_not_there(scene) <= 1
        amend(scene.home.root)
        assert assert_whole_or_not_there(scene) == 1
        amend(scene.home.root)
        assert assert_whole_or_not_there(scene) == 1

    return len(survived(amend, scene.home.root, scene.restore, whole, **how))


def test_killed_at_each_write_and_made_again_it_is_one_correction(scene: Scene) -> None:
    assert survive(scene) >= 8


def test_a_power_cut_loses_no_more_than_a_kill(scene: Scene) -> None:
    survive(scene, power_cut=True, only=range(2, 20, 5))


@pytest.mark.slow
def test_a_power_cut_at_any_write_leaves_it_whole_or_not_there(scene: Scene) -> None:
    assert survive(scene, power_cut=True) >= 10


@pytest.mark.parametrize("broken", ["anchors_before_it_remembers", "remembers_before_it_stores"])
def test_a_correction_in_another_order_does_not_survive(scene: Scene, broken: str) -> None:
    with pytest.raises(AssertionError, match="killed at write"):
        survive(scene, broken=broken)


def test_a_correction_that_is_not_remembered_is_there_twice(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why it has a mark of its own."""
    writes = run_killed(amend, scene.home.root, None)
    assert writes is not None
    assert assert_whole_or_not_there(scene) == 1
    monkeypatch.setattr(WriteJournal, "unwritten", lambda journal, marks: set(marks))
    amend(scene.home.root)
    assert assert_whole_or_not_there(scene) == 2


def test_a_put_ends_a_correction_that_died_before_its_anchor(scene: Scene) -> None:
    writes = run_killed(amend, scene.home.root, None)
    assert writes is not None
    scene.restore()
    assert run_killed(amend, scene.home.root, Death(writes.index("send") + 1, power_cut=False)) is None
    assert assert_whole_or_not_there(scene) == 0
    import_file(scene.home.root)
    assert assert_whole_or_not_there(scene) == 1

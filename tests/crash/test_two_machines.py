"""A put that another machine with its key overtakes, and that dies at any of its writes, loses nothing either."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from dtledger.errors import DtledgerError
from tests.crash.deaths import deaths
from tests.crash.operations import import_elsewhere, import_file, import_raced
from tests.crash.scene import TWIN, Scene, values

pytestmark = pytest.mark.anvil


def assert_all_there(scene: Scene) -> int:
    """Every reading of both machines, in a stream that holds together; returns how many snapshots do not count."""
    last = scene.readings[-1]
    with scene.client("patient") as patient:
        found = patient.read(TWIN, "glucose", "PATRQT")
        assert values(found) == values([*scene.readings, replace(last, seconds=last.seconds + 3600)])
        (report,) = patient.snapshots.verify(TWIN)
        assert report.error is None
        return len(report.doubled)


def survive(scene: Scene, only: Iterable[int] | None = None) -> int:
    doubled = 0
    for death in deaths(import_raced, scene.home.root, scene.restore, only=only):
        try:
            import_file(scene.home.root)
            import_elsewhere(scene.home.root)
            doubled = max(doubled, assert_all_there(scene))
        except (AssertionError, DtledgerError) as error:
            raise AssertionError(f"{death}: {error}") from error
    return doubled


def test_overtaken_it_writes_again_what_does_not_count(scene: Scene) -> None:
    import_raced(scene.home.root)
    assert assert_all_there(scene) == 1


def test_killed_at_some_writes_and_run_again_nothing_is_lost(scene: Scene) -> None:
    assert survive(scene, range(2, 70, 6)) == 1


@pytest.mark.slow
def test_killed_at_each_write_and_run_again_nothing_is_lost(scene: Scene) -> None:
    assert survive(scene) == 1

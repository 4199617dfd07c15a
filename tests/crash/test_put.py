"""A put that dies at any of its writes loses nothing and leaves nothing half done. An import is a put of a file."""

from __future__ import annotations

import os
from typing import Any

import pytest

from dtledger.vocabulary import Purpose
from tests.crash.deaths import FORKS, Death, deaths, run_killed, survived
from tests.crash.operations import import_by_command, import_file
from tests.crash.scene import HOURS, IN_AN_HOUR, READINGS, TWIN, Scene, values

pytestmark = pytest.mark.anvil


def assert_nothing_half_done(scene: Scene) -> None:
    """Whatever is anchored is read, in order: whole batches, from the first on."""
    with scene.client("patient") as patient:
        found = patient.read(TWIN, "glucose", "PATRQT")
        assert values(found) == values(scene.readings)[: len(found)]
        anchored = sum(batch.count for batch in patient.context.view().batches(scene.address("gateway")))
        assert found.snapshots == anchored
        assert len(found) == anchored * IN_AN_HOUR


def assert_all_there_once(scene: Scene) -> None:
    """Every reading in exactly one snapshot, every snapshot in exactly one batch, and nothing left to do."""
    with scene.client("patient") as patient, scene.client("gateway") as gateway:
        found = patient.reader.read(TWIN, "glucose", Purpose.PATRQT)
        assert values(found) == values(scene.readings)
        assert found.snapshots == HOURS
        batches = patient.context.view().batches(gateway.address)
        assert [batch.count for batch in batches] == [2, 1]
        again = gateway.writer.put(TWIN, "glucose", scene.readings)
        assert (again.written, again.anchors, again.known, again.resumed) == ([], [], READINGS, 0)


def survive(scene: Scene, **how: Any) -> list[Death]:
    def whole() -> None:
        assert_nothing_half_done(scene)
        import_file(scene.home.root)
        assert_all_there_once(scene)

    return survived(import_file, scene.home.root, scene.restore, whole, **how)


def test_killed_at_each_write_and_run_again_it_is_as_if_it_had_lived(scene: Scene) -> None:
    assert len(survive(scene)) > 15


def test_a_power_cut_loses_no_more_than_a_kill(scene: Scene) -> None:
    survive(scene, power_cut=True, only=range(3, 30, 6))


@pytest.mark.slow
def test_a_power_cut_at_any_write_loses_no_more_than_a_kill(scene: Scene) -> None:
    assert len(survive(scene, power_cut=True)) > 25


@pytest.mark.parametrize("broken", ["anchors_before_it_remembers", "remembers_before_it_stores"])
def test_a_put_in_another_order_does_not_survive(scene: Scene, broken: str) -> None:
    with pytest.raises(AssertionError, match="killed at write"):
        survive(scene, broken=broken, only=range(2, 20))


def test_a_put_that_does_not_sync_does_not_survive_a_power_cut(scene: Scene) -> None:
    with pytest.raises(AssertionError, match="power cut at write"):
        survive(scene, broken="stores_without_syncing", power_cut=True, only=range(5, 40))


def test_the_command_is_as_good_before_and_after_its_anchor(scene: Scene) -> None:
    writes = run_killed(import_by_command, scene.home.root, None)
    assert writes is not None
    send = writes.index("send") + 1
    for _ in deaths(import_by_command, scene.home.root, scene.restore, only=[send, send + 1]):
        assert_nothing_half_done(scene)
        import_by_command(scene.home.root)
        with scene.client("patient") as patient:
            assert values(patient.read(TWIN, "glucose", "PATRQT")) == values(scene.readings)
            assert [each.count for each in patient.context.view().batches(scene.address("gateway"))] == [HOURS]


@pytest.mark.parametrize("at", [8, 14])
def test_killed_again_and_again_it_comes_through_in_the_end(scene: Scene, at: int) -> None:
    for _ in range(3):
        run_killed(import_file, scene.home.root, Death(at, power_cut=False))
        assert_nothing_half_done(scene)
    import_file(scene.home.root)
    assert_all_there_once(scene)


def test_two_at_once_with_one_key_write_one_after_the_other(scene: Scene) -> None:
    both = [FORKS.Process(target=import_file, args=(scene.home.root,)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert [each.exitcode for each in both] == [0, 0]
    assert_all_there_once(scene)


def test_what_a_dead_put_left_aside_is_swept_away_a_day_later(scene: Scene) -> None:
    incoming = scene.devnet.blocks / "incoming"
    run_killed(import_file, scene.home.root, Death(3, power_cut=False))
    left = list(incoming.iterdir())
    assert left
    for each in left:
        os.utime(each, (0, 0))
    import_file(scene.home.root)
    assert not list(incoming.iterdir())
    assert_all_there_once(scene)

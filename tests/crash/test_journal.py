"""The writer's journal can be lost, or be older than the chain: streams go on from what is anchored."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dtledger.readings import Reading
from tests.crash.deaths import Death, run_killed
from tests.crash.operations import import_file
from tests.crash.scene import HOURS, TWIN, Scene, values

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def stage(stage: Scene) -> Scene:
    """With readings."""
    import_file(stage.home.root)
    stage.keep()
    return stage


def journal(scene: Scene) -> list[Path]:
    return list(scene.home.journal.glob(f"*{scene.address('gateway')}*"))


def lose(scene: Scene) -> None:
    for each in journal(scene):
        each.unlink()


def later(scene: Scene, count: int = 3) -> list[Reading]:
    """Readings that follow the export's, one an hour."""
    last = scene.readings[-1]
    return [Reading(last.seconds + 3600 * n, 7.0 + n, last.unit, last.offset, "") for n in range(1, count + 1)]


def put(scene: Scene, readings: list[Reading]) -> None:
    with scene.client("gateway") as gateway:
        gateway.writer.put(TWIN, "glucose", readings)


def assert_read(scene: Scene, readings: list[Reading]) -> None:
    """All of them, in their order, in one stream that nothing forks."""
    with scene.client("patient") as patient:
        found = patient.read(TWIN, "glucose", "PATRQT")
        assert values(found) == values(readings)
        anchored = patient.context.view().batches(scene.address("gateway"))
        assert found.snapshots == sum(batch.count for batch in anchored)


def test_lost_altogether_the_stream_goes_on_where_the_chain_says(scene: Scene) -> None:
    lose(scene)
    put(scene, later(scene))
    assert_read(scene, [*scene.readings, *later(scene)])


def test_lost_with_a_batch_under_way_nothing_is_half_done(scene: Scene) -> None:
    """The batch was stored and noted, not anchored; its readings come again with the file."""
    stage = scene
    more = stage.home.root / "export.csv"
    rows = [f"{each.at.isoformat()},{each.value}" for each in [*scene.readings, *later(scene)]]
    more.write_text("\n".join(["time,glucose (mmol/L)", *rows, ""]))
    writes = run_killed(import_file, stage.home.root, None)
    assert writes is not None
    stage.restore()
    more.write_text("\n".join(["time,glucose (mmol/L)", *rows, ""]))
    before_anchor = writes.index("send") + 1
    assert run_killed(import_file, stage.home.root, Death(before_anchor, power_cut=False)) is None
    lose(stage)
    put(stage, later(stage))
    assert_read(stage, [*stage.readings, *later(stage)])


def test_lost_a_file_put_again_is_read_once(scene: Scene) -> None:
    """Without its marks a writer cannot know what it wrote, and it cannot read; readers leave out repeats."""
    lose(scene)
    put(scene, scene.readings)
    with scene.client("patient") as patient:
        found = patient.read(TWIN, "glucose", "PATRQT")
    assert values(found) == values(scene.readings)
    assert found.snapshots == 2 * HOURS


def test_older_than_the_chain_it_does_not_take_back_what_was_anchored_since(scene: Scene, tmp_path: Path) -> None:
    """As from a backup, or on the second of two machines with one key."""
    first, second, third = ([each] for each in later(scene))
    old = tmp_path / "journal"
    shutil.copytree(scene.home.journal, old)
    put(scene, first)
    shutil.rmtree(scene.home.journal)
    shutil.copytree(old, scene.home.journal)
    put(scene, second)
    put(scene, third)
    assert_read(scene, [*scene.readings, *first, *second, *third])

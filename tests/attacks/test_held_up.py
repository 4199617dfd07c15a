"""A writer that anchors what does not open, so that whoever follows a twin comes no further."""

from __future__ import annotations

from itertools import islice

import pytest

from dtledger.client import Refresh
from dtledger.errors import IntegrityError
from dtledger.testing import World
from dtledger.testing.world import glucose
from dtledger.types import Digest

from .forging import Scribe, lie, put

OTHER = Digest(b"\7" * 32)


def follow(world: World, cursor: str, count: int) -> list[Refresh]:
    """The next refreshes from a cursor; what is anchored is anchored already."""
    following = world.clinician.follow(world.twin, "glucose", "TREAT", cursor=cursor, pause=lambda _: None)
    return list(islice(following, count))


def write(world: World) -> None:
    """An hour of the gateway's, hours after what was written before."""
    world.clock.advance(4 * 3600)
    world.gateway.writer.put(world.twin, "glucose", glucose(world.clock.at - 3600, 12))


@pytest.fixture
def cursor(world: World) -> str:
    following = world.clinician.follow(world.twin, "glucose", "TREAT", pause=lambda _: write(world))
    return next(following).cursor


def test_a_snapshot_that_does_not_open_holds_up_no_follower(world: World, cursor: str) -> None:
    scribe = Scribe(world)
    world.clock.advance(4 * 3600)
    scribe.write(lie("manifest", put(commitment=OTHER)), scribe.groups(1))
    (told,) = follow(world, cursor, 1)
    assert (list(told.readings), list(told.readings.faults)) == ([], [scribe.address])
    write(world)
    for start, values in ((cursor, 12), (told.cursor, 12)):
        (after,) = follow(world, start, 1)
        assert len(after.readings) == values


def test_the_same_snapshot_without_a_lie_is_given(world: World, cursor: str) -> None:
    scribe = Scribe(world)
    world.clock.advance(4 * 3600)
    scribe.write(groups=scribe.groups(1))
    (told,) = follow(world, cursor, 1)
    assert (len(told.readings), told.readings.faults) == (2, {})


def test_a_store_that_lies_is_waited_for(world: World, cursor: str) -> None:
    """Nothing is passed over that the store may yet give."""
    write(world)
    (listed,) = [each for group in world.patient.snapshots.list(world.twin, "glucose") for each in group][-1:]
    true = world.store._blocks[listed.found.row.custody]
    world.store.damage(listed.found.row.custody)
    with pytest.raises(IntegrityError):
        follow(world, cursor, 1)
    world.store._blocks[listed.found.row.custody] = true
    (told,) = follow(world, cursor, 1)
    assert len(told.readings) == 12

"""Writing: what is refused before anything is written; and a put of many batches, which looks at grant and card before
each, so that what changed meanwhile counts from the next batch on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dtledger.client import PutResult
from dtledger.client.writing import CLOCK_AHEAD
from dtledger.errors import AccessDeniedError, InputError
from dtledger.readings import Reading
from dtledger.testing import World
from dtledger.vocabulary import Reason


def put(world: World, after_the_first: Callable[[], object]) -> PutResult:
    """Three hours in three batches; something happens after the first."""
    readings = [Reading(each.seconds + 1, each.value, each.unit) for each in world.readings]

    def progress(done: int, total: int) -> None:
        assert total == 3
        if done == 1:
            after_the_first()

    return world.gateway.writer.put(world.twin, "glucose", readings, batch=1, progress=progress)


def rosters(world: World, done: PutResult) -> list[int]:
    digests = [each.manifest.digest for each in done.written]
    return [world.patient.snapshots.show(digest).found.custody.roster for digest in digests]


def test_a_new_roster_counts_from_the_next_batch_on() -> None:
    with World(hours=3) as world:
        assert rosters(world, put(world, lambda: None)) == [1, 1, 1]
    with World(hours=3) as world:
        anew = [each.address for each in world.custodians][::-1]
        assert rosters(world, put(world, lambda: world.patient.twins.set_up(world.twin, anew, 2))) == [1, 2, 2]
        assert len(world.patient.read(world.twin, "glucose", "PATRQT")) == 72


def test_a_grant_that_ends_between_two_batches_lets_no_more_be_anchored() -> None:
    with World(hours=3) as world:
        before = len(world.ledger.view().batches(world.gateway.address))
        with pytest.raises(AccessDeniedError) as refused:
            put(world, lambda: world.patient.consents.revoke_all(world.twin))
        assert refused.value.reason is Reason.REVOKED
        assert len(world.ledger.view().batches(world.gateway.address)) == before + 1
        assert world.patient.read(world.twin, "glucose", "PATRQT").uncounted == 0


def test_a_reading_of_a_time_to_come_is_refused_and_nothing_is_written(dtledger_world: World) -> None:
    """It would keep the twin's age at nothing until then, however long its device were silent."""
    world = dtledger_world
    now = world.clock.at
    early = Reading(now + CLOCK_AHEAD + 60, 6.1, "mmol/L")
    with pytest.raises(InputError, match="1 readings are of a time to come, the first of 2026-01-01T12:16") as refused:
        world.gateway.writer.put(world.twin, "glucose", [Reading(now, 6.0, "mmol/L"), early])
    assert "--tz" in refused.value.hint
    world.clock.advance(7200)
    read = world.clinician.read(world.twin, "glucose", "TREAT")
    assert (len(read), read.age) == (len(world.readings), 7260)


def test_a_clock_that_is_a_little_ahead_is_no_fault(dtledger_world: World) -> None:
    world = dtledger_world
    put = world.gateway.writer.put(world.twin, "glucose", [Reading(world.clock.at + CLOCK_AHEAD, 6.1, "mmol/L")])
    assert put.readings == 1

"""A put of many batches looks at grant and card before each: what changed meanwhile counts from the next batch on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dtledger.client import PutResult
from dtledger.errors import AccessDeniedError
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

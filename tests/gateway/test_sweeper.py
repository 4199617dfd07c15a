"""What a gateway wrote of a twin that has ended goes from its store, what it kept of it from its disk, and nothing else
does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtledger.client import Client
from dtledger.encoding import CID
from dtledger.errors import UnreachableError
from dtledger.gateway.freshness import FORGOTTEN_SECONDS
from dtledger.gateway.queue import POSTS_KEPT_SECONDS
from dtledger.gateway.sweeper import Sweeper, letters
from dtledger.testing import World
from dtledger.testing.world import glucose
from tests.attacks.looking import second_twin
from tests.gateway.conftest import PACE
from tests.gateway.living import Living

WEEK = 7 * 86_400


@pytest.fixture
def world() -> Iterator[World]:
    with World(hours=3) as world:
        yield world


def blocks(world: World, twin: int, by: Client | None = None) -> set[CID]:
    """Manifests and custody blocks of what one wrote of a twin, by default the gateway."""
    writer = (by or world.gateway).address
    found = [each.found for group in world.patient.snapshots.list(twin) for each in group]
    return {cid for each in found if each.writer == writer for cid in (each.row.manifest, each.row.custody)}


def later(world: World, seconds: int) -> None:
    """By the clock and by the chain."""
    world.clock.advance(seconds)
    world.ledger.mine()


def here(world: World, cids: set[CID]) -> set[bool]:
    assert cids
    return {world.store.has(each) for each in cids}


def test_it_goes_once_the_retirement_is_final_and_not_before(world: World) -> None:
    written, sweeper = blocks(world, world.twin), Sweeper(world.gateway.context)
    assert sweeper.step() == 0
    world.patient.erasing.announce(world.twin)
    later(world, WEEK - 1)
    assert sweeper.step() == 0
    world.clock.advance(1)
    assert sweeper.step() == 0, "by its own clock alone"
    assert here(world, written) == {True}
    world.ledger.mine()
    assert sweeper.step() == sweeper.blocks == len(written)
    assert here(world, written) == {False}
    assert sweeper.step() == 0
    assert Sweeper(world.gateway.context).step() == 0, "and after a restart neither"


def test_a_twin_whose_retirement_was_cancelled_stays(world: World) -> None:
    world.patient.erasing.announce(world.twin)
    world.patient.erasing.cancel(world.twin)
    later(world, 2 * WEEK)
    assert Sweeper(world.gateway.context).step() == 0
    assert len(world.clinician.read(world.twin, "glucose", "TREAT")) == len(world.readings)


def test_another_twin_and_what_others_wrote_stay(world: World) -> None:
    """Others' manifests could list what is another patient's, who would lose it by an attacker's own end."""
    other = second_twin(world)
    world.patient.writer.put(other, "glucose", glucose(world.clock.at - 3600, 6))
    world.patient.writer.put(world.twin, "glucose", glucose(world.clock.at - 7200, 6))
    of_other, of_patient = blocks(world, other, world.patient), blocks(world, world.twin, world.patient)
    world.patient.erasing.announce(world.twin)
    later(world, WEEK)
    assert Sweeper(world.gateway.context).step() > 0
    assert here(world, of_other | of_patient) == {True}
    assert len(world.patient.read(other, "glucose", "PATRQT")) == 6


def test_what_the_store_could_not_remove_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    written, sweeper = blocks(world, world.twin), Sweeper(world.gateway.context)
    world.patient.erasing.announce(world.twin)
    later(world, WEEK)

    def away(_: object) -> None:
        raise UnreachableError("The store does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "remove", away)
        with pytest.raises(UnreachableError):
            sweeper.step()
    assert here(world, written) == {True}
    assert sweeper.step() == len(written)


# what it keeps beside the store -----------------------------------------------------------------------------------


def sweeper(alive: Living) -> Sweeper:
    """As a gateway has it."""
    queue, context = alive.site.queue, alive.world.gateway.context
    forget = [queue.forget_posts, letters(context.store, queue), alive.pump.freshness.end, alive.twins.end]
    return Sweeper(context, forget)


def end(alive: Living) -> None:
    """The world's twin is retired, for good."""
    alive.world.patient.erasing.announce(alive.world.twin)
    later(alive.world, WEEK)


def states(alive: Living) -> int:
    return count(alive, "states")


def count(alive: Living, table: str) -> int:
    """Rows of a table of the queue's file."""
    with alive.site.queue._file.reading() as database:
        found: int = database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
        return found


def test_the_state_of_a_twin_that_ended_goes_and_another_s_stays(alive: Living) -> None:
    alive.live(1)
    alive.put(alive.sensor(), twin=alive.site.other)
    alive.pump.step()
    assert (states(alive), len(alive.pump.freshness.ages(alive.world.clock.at))) == (2, 2)
    swept = sweeper(alive)
    alive.world.patient.erasing.announce(alive.world.twin)
    swept.step()
    assert states(alive) == 2, "it could still be cancelled"
    later(alive.world, WEEK)
    swept.step()
    assert (states(alive), count(alive, "newest")) == (1, 1)
    assert len(alive.pump.freshness.ages(alive.world.clock.at)) == 1


def test_what_is_old_goes_though_nothing_comes(alive: Living) -> None:
    alive.live(1)
    swept = sweeper(alive)
    later(alive.world, FORGOTTEN_SECONDS)
    swept.step()
    assert states(alive) == 1
    later(alive.world, 7200)
    swept.step()
    assert states(alive) == 0


def test_a_sender_s_key_is_forgotten_after_a_week_though_the_gateway_runs_on(alive: Living) -> None:
    queue, swept = alive.site.queue, sweeper(alive)
    queue.put([], sender="hub", idempotency_key="a post")
    later(alive.world, POSTS_KEPT_SECONDS)
    swept.step()
    assert count(alive, "posts") == 1
    later(alive.world, 1)
    swept.step()
    assert count(alive, "posts") == 0


def test_what_was_sealed_to_the_owner_of_a_twin_that_ended_goes_and_of_another_twin_stays(alive: Living) -> None:
    world, site = alive.world, alive.site
    for patient, twin in ((world.patient, world.twin), (site.other_patient, site.other)):
        site.put(twin, site.later())
        site.wait_an_hour()
        patient.consents.revoke_all(twin)
        site.pump.step()
    world.clock.advance(PACE.renewal_seconds)
    site.pump.step()
    (mine,), (theirs,) = (site.queue.letters(each.address) for each in (world.patient, site.other_patient))
    end(alive)
    sweeper(alive).step()
    assert site.queue.letters(world.patient.address) == []
    assert site.queue.letters(site.other_patient.address) == [theirs]
    assert [world.store.has(CID.decode(each)) for each in (mine, theirs)] == [False, True]
    assert site.other_patient.writer.adopt(theirs).readings == 3


def test_a_letter_that_the_store_keeps_is_removed_the_next_time(alive: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    world, site = alive.world, alive.site
    site.put(world.twin, site.later())
    site.wait_an_hour()
    world.patient.consents.revoke_all(world.twin)
    site.pump.step()
    world.clock.advance(PACE.renewal_seconds)
    site.pump.step()
    end(alive)

    def away(_: object) -> None:
        raise UnreachableError("The store does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "remove", away)
        with pytest.raises(UnreachableError):
            sweeper(alive).step()
    assert len(site.queue.letters(world.patient.address)) == 1
    sweeper(alive).step()
    assert site.queue.letters(world.patient.address) == []


def test_readings_that_wait_when_their_twin_has_ended_are_destroyed_with_what_they_made(alive: Living) -> None:
    """They came while the ledger was away, and nobody may write or adopt them."""
    alive.live(1)
    alive.put(alive.sensor())
    end(alive)
    swept = sweeper(alive)
    swept.step()
    assert alive.pump.step() == 11
    swept.step()
    assert (alive.site.queue.totals().rows, alive.site.queue.totals().letters, states(alive)) == (0, 0, 0)
    assert alive.pump.told.handed_over == 0
    assert count(alive, "newest") == 0


def test_readings_that_wait_while_the_end_may_be_cancelled_are_kept(alive: Living) -> None:
    alive.put(alive.sensor())
    alive.world.patient.erasing.announce(alive.world.twin)
    assert alive.pump.step() == 0
    alive.world.patient.erasing.cancel(alive.world.twin)
    alive.site.wait_an_hour()
    assert alive.pump.step() == 11

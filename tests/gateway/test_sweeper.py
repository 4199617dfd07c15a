"""What a gateway wrote of a twin that has ended goes from its store, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtledger.client import Client
from dtledger.encoding import CID
from dtledger.errors import UnreachableError
from dtledger.gateway.sweeper import Sweeper
from dtledger.testing import World
from dtledger.testing.world import glucose
from tests.attacks.looking import second_twin

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

"""After an erasure: what opens of a copy of the store that somebody kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtledger.errors import AccessDeniedError
from dtledger.ledger import messages
from dtledger.testing import World

from .attacker import Loot, of_custodian, of_member, opened, together

WEEK = 7 * 86_400


def everybody(world: World) -> Loot:
    """Owner, grantees and all custodians, as they are now."""
    members = (world.patient, world.clinician, world.gateway, world.hospital, world.operator)
    return together([*(of_member(each) for each in members), *(of_custodian(each, world) for each in world.custodians)])


def erase(world: World) -> None:
    """All blocks of before are still there: somebody kept a copy."""
    copy = dict(world.store._blocks)
    world.patient.erasing.announce(world.twin)
    world.clock.advance(WEEK)
    assert world.patient.erasing.finish(world.twin).holds
    world.store._blocks |= copy


def test_everybody_together_with_a_copy_of_every_block_opens_nothing(world: World) -> None:
    written = opened(world, everybody(world)).keys()
    assert len(written) == 2
    erase(world)
    assert opened(world, everybody(world)).keys() == set()


def test_fewer_than_a_threshold_of_custodians_who_kept_a_copy_open_nothing(world: World) -> None:
    """And as many as the threshold do: it is a promise."""
    kept = [of_custodian(each, world) for each in world.custodians]
    erase(world)
    assert opened(world, everybody(world) + kept[0]).keys() == set()
    assert len(opened(world, everybody(world) + kept[0] + kept[1])) == 2


def test_a_pair_that_comes_back_opens_nothing_for_anybody(world: World) -> None:
    pairs = [dict(each._twin_keys._pairs) for each in world.custodians]  # type: ignore[attr-defined]
    erase(world)
    for custodian, kept in zip(world.custodians, pairs, strict=True):
        custodian._twin_keys._pairs = kept  # type: ignore[attr-defined]
    assert opened(world, everybody(world)).keys() == set()


def test_an_order_is_of_one_twin_and_one_custodian(world: World) -> None:
    """Whoever overhears the order for one cannot have another twin destroyed."""
    one, two, _ = world.custodians
    other, _ = world.operator.twins.mint(world.patient.twins.request_mint())
    world.patient.twins.set_up(other, [each.address for each in world.custodians], 2)
    for twin in (world.twin, other):
        world.patient.erasing.announce(twin)
    world.clock.advance(WEEK)
    order = world.patient.twins.request(messages.destroy_order, world.twin, one.address)
    for custodian, twin in ((two, world.twin), (one, other)):
        with pytest.raises(AccessDeniedError):
            custodian.destroy(replace(order, twin=twin))
        assert custodian._twin_keys.all_of(twin)
    assert one.destroy(order).keys
    assert one._twin_keys.all_of(world.twin) == []

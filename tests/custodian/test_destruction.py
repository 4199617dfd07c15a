"""A custodian destroys what it holds of a twin: at whose order, when, and what it says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtledger.client import Client
from dtledger.custody import Destruction, OwnerRequest
from dtledger.encoding import sha256
from dtledger.errors import AccessDeniedError, HeadTooOldError, IntegrityError
from dtledger.ledger import calls, messages
from dtledger.testing import World

WEEK = 7 * 86_400


def retire(world: World, *, wait: int = WEEK) -> None:
    world.ledger.send(calls.announce_retirement(world.twin), world.patient.context.key)
    world.clock.advance(wait)


def order(world: World, who: Client | None = None, message: Any = messages.destroy_order, of: int = 0) -> OwnerRequest:
    """An order to the first custodian (`of` names another), signed now."""
    key, at = (who or world.patient).context.key, world.clock()
    digest = message(world.ledger.deployment, world.twin, key.address, world.custodians[of].address, at)
    return OwnerRequest(world.twin, key.address, at, key.sign_digest(digest))


def holds(world: World) -> int:
    return len(world.custodians[0]._twin_keys.all_of(world.twin))


def test_at_the_owners_order_and_after_the_delay_every_pair_is_gone_and_named(world: World) -> None:
    (pair,) = world.custodians[0]._twin_keys.all_of(world.twin)
    retire(world)
    said = world.custodians[0].destroy(order(world))
    assert holds(world) == 0
    assert said.verify(world.ledger.deployment, world.twin, world.custodians[0].address) == said
    assert said.keys == (sha256(pair.public),)
    assert said.covers([pair.public])
    assert (said.at, said.owner) == (world.clock(), world.patient.address)


def test_the_same_order_again_says_the_same(world: World) -> None:
    retire(world)
    asked = order(world)
    assert world.custodians[0].destroy(asked) == world.custodians[0].destroy(asked)


def test_nothing_is_destroyed_before_the_retirement_is_announced(world: World) -> None:
    with pytest.raises(AccessDeniedError, match="not final"):
        world.custodians[0].destroy(order(world))
    assert holds(world) == 1


def test_nothing_is_destroyed_while_the_retirement_can_be_cancelled(world: World) -> None:
    retire(world, wait=WEEK - 1)
    with pytest.raises(AccessDeniedError, match="not final"):
        world.custodians[0].destroy(order(world))
    assert holds(world) == 1
    world.clock.advance(61)  # a head of before would do for the clock alone
    assert world.custodians[0].destroy(order(world)).keys


def test_nothing_is_destroyed_after_it_was_cancelled(world: World) -> None:
    retire(world, wait=WEEK - 1)
    world.ledger.send(calls.cancel_retirement(world.twin), world.patient.context.key)
    world.clock.advance(WEEK)
    with pytest.raises(AccessDeniedError, match="not final"):
        world.custodians[0].destroy(order(world))
    assert holds(world) == 1
    retire(world)
    assert world.custodians[0].destroy(order(world)).keys


def test_nobody_but_the_owner_gives_the_order(world: World) -> None:
    retire(world)
    for other in (world.clinician, world.gateway, world.operator, world.hospital):
        with pytest.raises(AccessDeniedError):
            world.custodians[0].destroy(order(world, other))
        borrowed = replace(order(world, other), owner=world.patient.address)
        with pytest.raises(AccessDeniedError):
            world.custodians[0].destroy(borrowed)
    assert holds(world) == 1
    assert world.custodians[0].destroy(order(world)).keys


def test_what_was_signed_for_something_else_is_no_order(world: World) -> None:
    retire(world)
    for other in (order(world, message=messages.key_request), order(world, of=1)):
        with pytest.raises(AccessDeniedError):
            world.custodians[0].destroy(other)
    stale = order(world)
    world.clock.advance(121)
    with pytest.raises(AccessDeniedError):
        world.custodians[0].destroy(stale)
    assert holds(world) == 1
    assert world.custodians[0].destroy(order(world)).keys


def test_a_custodian_whose_node_stands_still_destroys_nothing(world: World) -> None:
    retire(world, wait=0)
    world.custodians[0].ledger.freeze()
    world.clock.advance(WEEK)
    with pytest.raises(HeadTooOldError):
        world.custodians[0].destroy(order(world))
    assert holds(world) == 1


@pytest.mark.parametrize("field", ["custodian", "twin", "owner", "keys", "order", "at", "block", "signature"])
def test_what_a_custodian_says_cannot_be_changed(field: str, world: World) -> None:
    retire(world)
    said = world.custodians[0].destroy(order(world))
    deployment, custodian = world.ledger.deployment, said.custodian
    other: dict[str, Any] = {
        "custodian": world.custodians[1].address,
        "twin": said.twin + 1,
        "owner": custodian,
        "keys": (*said.keys, sha256(b"another")),
        "order": sha256(b"another"),
        "at": said.at + 1,
        "block": said.block + 1,
        "signature": said.signature[:-1] + bytes([55 - said.signature[-1]]),
    }
    changed = replace(said, **{field: other[field]})
    with pytest.raises(IntegrityError):
        Destruction.decode(changed.encode()).verify(deployment, world.twin, custodian)
    assert Destruction.decode(said.encode()).verify(deployment, world.twin, custodian) == said


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x82\x80\x40"], ids=["nothing", "no cells", "empty cells"])
def test_what_is_no_destruction_is_not_read(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        Destruction.decode(data)


def test_a_retirement_whose_block_is_not_final_destroys_nothing(world: World) -> None:
    retire(world)
    world.custodians[0].ledger.final_after = 5
    with pytest.raises(AccessDeniedError, match="not final"):
        world.custodians[0].destroy(order(world))
    assert holds(world) == 1
    for _ in range(6):
        world.ledger.heartbeat(world.operator.context.key)
    assert world.custodians[0].destroy(order(world)).keys

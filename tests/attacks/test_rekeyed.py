"""After a rekey: what those open who held keys before, with custodians who break their word."""

from __future__ import annotations

from collections.abc import Iterable

from dtledger.client import Client
from dtledger.testing import MemoryKey, World
from dtledger.testing.world import glucose
from dtledger.types import Digest

from .attacker import Loot, of_custodian, of_member, opened, together
from .looking import move


def write(world: World, writer: Client) -> set[Digest]:
    """An hour more; the digests of its snapshots."""
    start = world.clock.at
    world.clock.advance(3600)
    return {each.manifest.digest for each in writer.writer.put(world.twin, "glucose", glucose(start, 12)).written}


def custodians(world: World) -> Loot:
    """All of them, who give away what they hold: the second lock is gone."""
    return together(of_custodian(each, world) for each in world.custodians)


def open_to(world: World, former: Loot, digests: Iterable[Digest]) -> set[Digest]:
    return opened(world, former + custodians(world)).keys() & set(digests)


def test_a_former_grantees_package_opens_nothing_of_the_new_generation(world: World) -> None:
    former = of_member(world.clinician)
    world.patient.consents.revoke(world.consent)
    unprotected = write(world, world.gateway)
    assert open_to(world, former, unprotected) == unprotected, "its cover reaches on, and custodians broke their word"
    world.patient.twins.rekey(world.twin)
    protected = write(world, world.gateway)
    assert open_to(world, former, protected) == set()
    assert open_to(world, former, unprotected) == unprotected, "what it had the keys of stays so"
    assert open_to(world, of_member(world.patient), protected) == protected


def test_a_blocked_grantee_gets_no_key_of_the_new_generation(world: World) -> None:
    world.patient.consents.block(world.twin, world.clinician.address)
    world.patient.twins.rekey(world.twin)
    protected = write(world, world.gateway)
    assert open_to(world, of_member(world.clinician), protected) == set()
    world.patient.consents.unblock(world.twin, world.clinician.address)
    world.patient.consents.reseal(world.consent)
    assert open_to(world, of_member(world.clinician), protected) == protected


def test_a_live_grantee_opens_the_new_generation(world: World) -> None:
    """The witness of both: what is not revoked is packaged."""
    world.patient.twins.rekey(world.twin)
    protected = write(world, world.gateway)
    assert open_to(world, of_member(world.clinician), protected) == protected


def test_a_former_owner_opens_nothing_that_is_written_after_a_rekey(world: World) -> None:
    former = of_member(world.patient)
    heir = move(world)
    heir.twins.set_up(world.twin, [each.address for each in world.custodians], 2)
    unprotected = write(world, heir)
    assert open_to(world, former, unprotected) == unprotected
    heir.twins.rekey(world.twin)
    protected = write(world, heir)
    assert open_to(world, former, protected) == set()
    assert open_to(world, of_member(heir), protected) == protected


def test_a_former_owner_opens_nothing_that_the_new_one_writes(world: World) -> None:
    former, heir = of_member(world.patient), world.client(MemoryKey("heir"))
    acceptance = heir.twins.accept_move(world.twin)
    handover = world.patient.twins.hand_over(world.twin, acceptance.to, acceptance.key)
    world.patient.twins.move(acceptance)
    heir.twins.take_over(handover, [each.address for each in world.custodians], 2)
    protected = write(world, heir)
    assert open_to(world, former, protected) == set()
    assert open_to(world, of_member(heir), protected) == protected
    assert len(open_to(world, of_member(heir), opened(world, former + custodians(world)))) == 2, "and all of before"

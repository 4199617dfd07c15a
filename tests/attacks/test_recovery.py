"""Who opens a recovery package with all that they have, and who does not: a table of parties."""

from __future__ import annotations

import pytest

from dtledger.client import Client, Guardian, GuardianKeys
from dtledger.encoding import CID
from dtledger.keys import TwinSecrets
from dtledger.snapshots.recovery import RecoveryPackage
from dtledger.testing import MemoryKey, World

from .attacker import Loot, of_custodian, of_member, opened, recovered, together

NEEDED, COUNT = 2, 3


class Safe:
    """The twin's recovery package, whose guardians are `guardians`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.guardians = [world.client(MemoryKey(f"guardian-{number}")) for number in range(COUNT)]
        people = [Guardian(each.address, each.context.key.seal_key.public) for each in self.guardians]
        world.patient.twins.set_recovery(world.twin, GuardianKeys(NEEDED, tuple(people)))
        card = world.ledger.view().card(world.twin)
        assert card is not None
        self.package = RecoveryPackage.decode(world.ledger.deployment, world.store.get(CID(card.recovery)))

    def opened_by(self, loot: Loot) -> TwinSecrets | None:
        return recovered(self.package, loot)


@pytest.fixture
def safe(world: World) -> Safe:
    return Safe(world)


def guardians(safe: Safe, count: int) -> Loot:
    return together(of_member(each) for each in safe.guardians[:count])


def custodians(safe: Safe, count: int) -> Loot:
    return together(of_custodian(each, safe.world) for each in safe.world.custodians[:count])


def others(safe: Safe) -> Loot:
    """Everybody else: grantees, writers, whoever governs."""
    world = safe.world
    people: list[Client] = [world.clinician, world.gateway, world.hospital, world.operator]
    return together(of_member(each) for each in people)


@pytest.mark.parametrize(
    ("who", "some"),
    [(COUNT, 0), (COUNT, 1), (NEEDED - 1, 3), (0, 3), (0, 0), (NEEDED - 1, 1)],
    ids=str,
)
def test_fewer_guardians_or_fewer_custodians_with_everybody_else_open_nothing(who: int, some: int, safe: Safe) -> None:
    loot = guardians(safe, who) + custodians(safe, some) + others(safe)
    assert safe.opened_by(loot) is None


def test_enough_of_both_open_it_and_then_all_that_was_ever_written(safe: Safe) -> None:
    """The witness, and the warning."""
    world = safe.world
    loot = guardians(safe, NEEDED) + custodians(safe, 2)
    found = safe.opened_by(loot)
    assert found == world.patient.context.key.secrets.twin(world.ledger.deployment.id, world.twin)
    assert len(opened(world, loot)) == 2


def test_guardians_of_before_open_nothing_of_a_package_that_was_made_anew(safe: Safe) -> None:
    world = safe.world
    former = guardians(safe, COUNT)
    kept = safe.package
    new = Safe(world)
    assert new.opened_by(former + custodians(new, 3)) is None
    new.package = kept
    assert new.opened_by(former + custodians(new, 3)) is not None, "what they had stays so"

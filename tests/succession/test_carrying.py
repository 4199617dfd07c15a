"""A twin is carried over to the deployment that comes after, in a world without a chain: what was written stays
readable, what was denied stays denied, and who does not move notices nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from dtledger.client import Client, Stays, Terms
from dtledger.errors import AccessDeniedError, InputError
from dtledger.ledger import Receipt, Slot, messages
from dtledger.readings import Reading
from dtledger.snapshots.finder import Found
from dtledger.testing import MemoryKey, NextDeployment, World
from dtledger.types import Period
from dtledger.vocabulary import Action, Kind, Purpose, Reason

HOUR, DAY = 3600, 86_400


@dataclass
class Scene:
    """A world whose patients may move on: its own deployment, and the one that comes after."""

    world: World
    after: NextDeployment

    def there(self, who: Client) -> Client:
        return self.after.client(who)

    def carry(self) -> Receipt:
        """The world's patient moves on."""
        patient, there = self.world.patient, self.there(self.world.patient)
        luggage = patient.succession.luggage(self.world.twin, there.context)
        return patient.succession.carry(luggage, there.context)

    def write(self, gateway: Client) -> tuple[Reading, ...]:
        """An hour passes, and the gateway writes it."""
        start = self.world.clock.at
        self.world.clock.advance(HOUR)
        readings = tuple(Reading(start + minute * 60, 6.0, "mmol/L", 0) for minute in range(0, 60, 5))
        gateway.writer.put(self.world.twin, "glucose", readings)
        return readings

    def read(self, who: Client) -> list[int]:
        return [int(each.at.timestamp()) for each in who.read(self.world.twin, "glucose", "TREAT")]


@pytest.fixture
def scene() -> Iterator[Scene]:
    with World(hours=2) as world:
        yield Scene(world, world.succeed())


def found(who: Client, twin: int) -> list[Found]:
    return [each.found for group in who.snapshots.list(twin, "glucose") for each in group]


def reasons(who: Client, twin: int) -> Reason:
    return who.explain(twin, "glucose", "TREAT").reason


def test_history_is_read_through_both_deployments(scene: Scene) -> None:
    world = scene.world
    scene.carry()
    written = [each.seconds for each in scene.write(scene.there(world.gateway))]
    readings = scene.there(world.clinician).read(world.twin, "glucose", "TREAT", partial=True)
    assert [int(each.at.timestamp()) for each in readings] == [each.seconds for each in world.readings] + written
    assert (readings.faults, readings.doubled, readings.uncounted) == ({}, (), 0)


def test_a_stream_goes_on_at_the_next_number_after_the_last_leaf(scene: Scene) -> None:
    world = scene.world
    scene.carry()
    scene.write(scene.there(world.gateway))
    owner = scene.there(world.patient)
    listed = found(owner, world.twin)
    numbers = [each.manifest.sequence for each in listed]
    assert numbers == list(range(len(numbers)))
    assert all(each.counts for each in listed)
    assert listed[-1].manifest.previous == listed[-2].digest
    assert [report.error for report in owner.snapshots.verify(world.twin)] == [None]


def test_not_one_anchored_byte_is_touched(scene: Scene) -> None:
    world = scene.world
    before = {each.digest for each in found(world.patient, world.twin)}
    batches = world.ledger.view().batches(world.gateway.address)
    scene.carry()
    view = scene.after.ledger.view()
    assert view.batches(world.gateway.address) == batches == world.ledger.view().batches(world.gateway.address)
    assert {each.digest for each in found(scene.there(world.patient), world.twin)} == before


def test_the_old_deployment_denies_and_says_where_the_twin_went(scene: Scene) -> None:
    world = scene.world
    scene.carry()
    successor = scene.after.ledger.deployment.contracts["ConsentRegistry"]
    with pytest.raises(AccessDeniedError) as caught:
        scene.read(world.clinician)
    assert (caught.value.reason, caught.value.evidence["successor"]) == (Reason.RETIRED, successor)
    assert successor in caught.value.hint
    with pytest.raises(AccessDeniedError):
        world.gateway.writer.put(world.twin, "glucose", [Reading(world.clock.at, 6.0, "mmol/L", 0)])


def test_who_does_not_move_notices_nothing(scene: Scene) -> None:
    world = scene.world
    other = world.client(MemoryKey("other patient"))
    twin, _ = world.operator.twins.mint(other.twins.request_mint())
    other.twins.set_up(twin, [each.address for each in world.custodians], 2)
    terms = _reading(world)
    other.consents.grant(twin, world.clinician.address, terms)
    other.writer.put(twin, "glucose", [Reading(world.clock.at - 60, 5.0, "mmol/L", 0)])
    scene.carry()
    assert len(world.clinician.read(twin, "glucose", "TREAT")) == 1
    assert reasons(scene.there(world.clinician), twin) is Reason.TWIN_UNKNOWN
    assert (scene.after.ledger.view().twins(), world.ledger.view().twins()) == ([world.twin], [world.twin, twin])


def test_a_revocation_in_the_new_deployment_shuts_what_was_written_in_the_old(scene: Scene) -> None:
    world = scene.world
    scene.carry()
    clinician = scene.there(world.clinician)
    assert scene.read(clinician)
    scene.there(world.patient).consents.revoke(world.consent)
    with pytest.raises(AccessDeniedError) as caught:
        scene.read(clinician)
    assert caught.value.reason is Reason.REVOKED


def test_custodians_ask_the_deployment_in_which_the_twin_lives(scene: Scene) -> None:
    """A client that skips its own check is refused by each custodian of the old one, and by those of the new one if
    consent ended there."""
    world = scene.world
    scene.carry()
    for who, reason in ((world.clinician, Reason.RETIRED), (scene.there(world.clinician), Reason.PERMITTED)):
        decided = reasons(who, world.twin)
        assert decided is reason
    custodian, after = world.custodians[0], scene.after.custodians[0]
    scene.read(scene.there(world.clinician))
    assert (len(custodian.log.entries), len(after.log.entries)) == (0, 1)


def test_a_custodian_destroys_nothing_because_a_twin_left(scene: Scene) -> None:
    world = scene.world
    scene.carry()
    world.clock.advance(30 * DAY)
    for custodian in world.custodians:
        request = world.patient.twins.request(messages.destroy_order, world.twin, custodian.address)
        with pytest.raises(AccessDeniedError, match="not final"):
            custodian.destroy(request)


def test_a_twin_that_moved_on_is_erased_where_it_lives(scene: Scene) -> None:
    world = scene.world
    scene.carry()
    owner = scene.there(world.patient)
    owner.erasing.announce(world.twin)
    world.clock.advance(8 * DAY)
    assert owner.erasing.finish(world.twin).holds
    assert all(each.keys.all_of(world.twin) == [] for each in world.custodians)


def test_what_was_revoked_before_the_message_arrived_does_not_come(scene: Scene) -> None:
    world = scene.world
    patient, there = world.patient, scene.there(world.patient)
    luggage = patient.succession.luggage(world.twin, there.context)
    world.clinician.consents.revoke(world.consent)
    patient.succession.carry(luggage, there.context)
    assert reasons(scene.there(world.clinician), world.twin) is Reason.NO_GRANT


def test_what_expired_or_is_blocked_stays_behind(scene: Scene) -> None:
    world = scene.world
    friend, enemy = world.join("friend", [Kind.CLINICIAN]), world.join("enemy", [Kind.CLINICIAN])
    short, _ = world.patient.consents.grant(world.twin, friend.address, _reading(world, length=HOUR))
    shut, _ = world.patient.consents.grant(world.twin, enemy.address, _reading(world))
    world.patient.consents.block(world.twin, enemy.address)
    world.clock.advance(2 * HOUR)
    luggage = world.patient.succession.luggage(world.twin, scene.there(world.patient).context)
    assert {record.slot: why for record, why in luggage.left} == {short: Stays.EXPIRED, shut: Stays.BLOCKED}
    assert luggage.blocked == (enemy.address,)
    assert {each.slot.grantee for each in luggage.grants} == {world.clinician.address, world.gateway.address}
    scene.carry()
    assert scene.after.ledger.view().blocked(world.twin, enemy.address)


def test_a_twin_goes_only_to_the_deployment_that_comes_after(scene: Scene) -> None:
    world = scene.world
    with pytest.raises(InputError, match="does not come after"):
        world.patient.succession.luggage(world.twin, world.patient.context)
    with pytest.raises(AccessDeniedError):
        world.clinician.succession.luggage(world.twin, scene.there(world.clinician).context)
    scene.carry()
    with pytest.raises(InputError, match="has left"):
        scene.carry()


def test_a_twin_to_be_retired_does_not_leave(scene: Scene) -> None:
    world = scene.world
    world.patient.erasing.announce(world.twin)
    with pytest.raises(InputError, match="retired"):
        scene.carry()
    world.patient.erasing.cancel(world.twin)
    scene.carry()


def test_an_owner_goes_on_with_roster_and_generation(scene: Scene) -> None:
    world = scene.world
    scene.carry()
    owner = scene.there(world.patient)
    owner.twins.rekey(world.twin)
    owner.resharing.reshare(world.twin, [each.address for each in world.custodians])
    scene.write(scene.there(world.gateway))
    assert len(scene.read(scene.there(world.clinician))) == len(world.readings) + 12


def test_a_grant_given_in_the_new_deployment_covers_the_old_data(scene: Scene) -> None:
    world = scene.world
    nurse = world.join("nurse", [Kind.CLINICIAN])
    scene.carry()
    scene.there(world.patient).consents.grant(world.twin, nurse.address, _reading(world))
    assert len(scene.read(scene.there(nurse))) == len(world.readings)


def test_nobody_forges_a_snapshot_of_the_time_before(scene: Scene) -> None:
    """Who writes in the new deployment is judged there, whatever they might have done in the old one."""
    world = scene.world
    scene.carry()
    scene.there(world.patient).consents.revoke(_slot_of_gateway(world))
    with pytest.raises(AccessDeniedError):
        scene.write(scene.there(world.gateway))
    assert all(each.counts for each in found(scene.there(world.patient), world.twin))


def _slot_of_gateway(world: World) -> Slot:
    return Slot(world.patient.address, world.twin, world.gateway.address, 0)


def _reading(world: World, length: int = 30 * DAY) -> Terms:
    now, first = world.clock.at, world.readings[0].minute
    return Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + length, Period(first, (now + length) // 60))

"""A clock that is ten minutes or a day off, either way: a custodian's, a gateway's, a client's.

What was said beforehand: a custodian whose clock is off gives nothing, and nothing before its time or after it, whoever
it believes to be in time; the others suffice. A gateway keeps every reading that it acknowledged and anchors each once,
at the latest when its clock is set. A client whose clock is off is refused, never let in; a revocation has no time, and
is in force whatever the clock says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest

from dtledger.client import Client, Terms, publish_keyring
from dtledger.errors import AccessDeniedError, DtledgerError, HeadTooOldError, InputError
from dtledger.gateway.pump import Pump
from dtledger.gateway.queue import Limits, Measured, ReadingQueue
from dtledger.ledger import Slot
from dtledger.readings import Reading
from dtledger.testing import World, WorldCustodian
from dtledger.types import Period
from dtledger.vocabulary import Action, Cause, Kind, Purpose, Reason
from tests.custodian.asking import Desk
from tests.custodian.test_destruction import holds, order
from tests.gateway.conftest import PACE

MINUTES, DAY = 600, 86_400
OFF = [MINUTES, -MINUTES, DAY, -DAY]
off = pytest.mark.parametrize("seconds", OFF, ids=["10 min ahead", "10 min behind", "a day ahead", "a day behind"])


@pytest.fixture
def world() -> Iterator[World]:
    with World(hours=2) as world:
        yield world


def wrong(world: World, seconds: int) -> Callable[[], int]:
    return lambda: world.clock.at + seconds


def set_wrong(world: World, custodian: WorldCustodian, seconds: int) -> None:
    """A custodian by that clock; by the world's, for 0 seconds."""
    for each in (custodian, custodian._time, custodian._mailroom):
        each._clock = wrong(world, seconds)


@off
class TestACustodians:
    def test_that_is_one_of_three_is_named_and_the_others_suffice(self, world: World, seconds: int) -> None:
        one = world.custodians[0]
        set_wrong(world, one, seconds)
        found = world.clinician.read(world.twin, "glucose", "TREAT")
        assert (len(found), found.answered, list(found.faults)) == (len(world.readings), 2, [one.address])
        assert one.log.of_twin(world.twin) == []
        set_wrong(world, one, 0)
        assert world.clinician.read(world.twin, "glucose", "TREAT").answered == 3

    def test_that_all_have_opens_nothing_until_they_are_set(self, world: World, seconds: int) -> None:
        world.clock.advance(3_600)  # consent was in force ten minutes ago too
        world.ledger.mine()
        for each in world.custodians:
            set_wrong(world, each, seconds)
        with pytest.raises(DtledgerError):
            world.clinician.read(world.twin, "glucose", "TREAT")
        for each in world.custodians:
            set_wrong(world, each, 0)
        assert len(world.clinician.read(world.twin, "glucose", "TREAT")) == len(world.readings)

    def test_that_is_ahead_pays_for_one_heartbeat_whatever_comes(self, world: World, seconds: int) -> None:
        """Whoever may ask at all would else empty its account, and hold up all others while the blocks are made."""
        desk, chain = Desk(world), world.custodians[0].ledger
        before = chain.head().number
        for _ in range(5):
            heard(desk, seconds)
        assert chain.head().number - before == (1 if seconds > 0 else 0)
        set_wrong(world, world.custodians[0], 0)
        assert heard(desk, 0) == 2

    def test_opens_nothing_that_was_revoked(self, world: World, seconds: int) -> None:
        desk = Desk(world)
        world.patient.consents.revoke(world.consent)
        assert heard(desk, seconds) == refused(seconds, Reason.REVOKED)
        assert not any(each.receipt.permitted for each in desk.custodian.log.of_twin(world.twin))

    def test_opens_nothing_of_a_grant_that_is_over(self, world: World, seconds: int) -> None:
        desk = Desk(world, slot=grant(world, -2 * DAY, 60))
        assert heard(desk, 0) == 2
        world.clock.advance(60)
        world.ledger.mine()
        assert heard(desk, seconds) == refused(seconds, Reason.EXPIRED)

    def test_opens_nothing_of_a_grant_that_has_not_begun(self, world: World, seconds: int) -> None:
        desk = Desk(world, slot=grant(world, 60, DAY))
        assert heard(desk, seconds) == refused(seconds, Reason.NOT_YET)
        world.clock.advance(60)
        world.ledger.mine()
        assert heard(desk, 0) == 2

    def test_makes_no_old_head_young(self, world: World, seconds: int) -> None:
        """Its node stands still too, so that it does not hear of the revocation: for a minute, and no longer."""
        desk = Desk(world, slot=grant(world, -2 * DAY, DAY))
        desk.custodian.ledger.freeze()
        assert heard(desk, min(seconds, 0)) == 2
        world.patient.consents.revoke(desk.slot)
        world.clock.advance(61)
        assert heard(desk, seconds) == FROZEN
        desk.custodian.ledger.thaw()
        assert heard(desk, seconds) == refused(seconds, Reason.REVOKED)

    def test_makes_no_old_heads_young_that_come_in_turns(
        self, world: World, seconds: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two nodes stand still behind one address, a block apart: each look finds another head, and none is new."""
        desk = Desk(world, slot=grant(world, -2 * DAY, DAY))
        earlier = desk.custodian.ledger.tip()
        world.ledger.mine()
        heads = cycle([desk.custodian.ledger.tip(), earlier])
        with monkeypatch.context() as standing:
            standing.setattr(desk.custodian.ledger, "tip", lambda: next(heads))
            assert heard(desk, min(seconds, 0)) == 2
            world.patient.consents.revoke(desk.slot)
            for _ in range(4):
                said = heard(desk, seconds)
                world.clock.advance(21)
            assert said == FROZEN
        assert heard(desk, seconds) == refused(seconds, Reason.REVOKED)

    def test_opens_nothing_for_an_emergency_that_is_over(self, world: World, seconds: int) -> None:
        desk = emergency(world)
        assert heard(desk, 0, Purpose.ETREAT) == 2
        world.clock.advance(4 * 3600)
        world.ledger.mine()
        said = Reason.NOT_YET if seconds == -DAY else Reason.EMERGENCY_CLOSED  # the grant was given four hours ago
        assert heard(desk, seconds, Purpose.ETREAT) == refused(seconds, said)

    def test_destroys_nothing_before_its_time(self, world: World, seconds: int) -> None:
        one = world.custodians[0]
        world.patient.erasing.announce(world.twin)
        world.clock.advance(7 * DAY - 1)
        world.ledger.mine()
        set_wrong(world, one, seconds)
        world.clock.at += seconds  # the owner's, too, so that the order is fresh
        ordered = order(world)
        world.clock.at -= seconds
        with pytest.raises(DtledgerError):
            one.destroy(ordered)
        assert holds(world) == 1
        set_wrong(world, one, 0)
        world.clock.advance(1)
        world.ledger.mine()
        assert one.destroy(order(world)).keys


def grant(world: World, begins: int, ends: int) -> Slot:
    """Another of the patient's grants to the clinician, in seconds from now."""
    now = world.clock.at
    data = Period(world.readings[0].minute, (now + DAY) // 60)
    terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now + begins, now + ends, data)
    return world.patient.consents.grant(world.twin, world.clinician.address, terms)[0]


def emergency(world: World) -> Desk:
    """A medic who has opened the twin for four hours."""
    ambulance = world.join("ambulance", [Kind.EMERGENCY])
    medic = world.join("medic", [Kind.EMERGENCY], ambulance)
    publish_keyring(ambulance.context, [medic.address])
    slot, _ = world.patient.emergencies.let(world.twin, ambulance.address)
    medic.emergencies.open(slot, Cause.OVRINCOMP)
    return Desk(world, medic, slot)


FROZEN = "frozen"


def refused(seconds: int, reason: Reason) -> object:
    """By a clock that is ahead every head is too old; one that is behind judges by the head as well."""
    return FROZEN if seconds > 0 else reason


def heard(desk: Desk, seconds: int, purpose: Purpose = Purpose.TREAT) -> object:
    """What the desk's custodian says while its clock is off, asked at the time that it believes in: how many shares, or
    why none."""
    set_wrong(desk.world, desk.custodian, seconds)
    try:
        release = desk.ask(desk.request(at=desk.world.clock.at + seconds, purpose=purpose))
    except HeadTooOldError:
        return FROZEN
    reasons = {reason for _, reason in release.refused}
    return desk.opened(release) or reasons.pop()


class Skewed:
    """A clock of the world that is so many seconds off."""

    def __init__(self, world: World, seconds: int) -> None:
        self._world, self.seconds = world, seconds

    def __call__(self) -> int:
        return self._world.clock.at + self.seconds


@dataclass
class Skew:
    """A gateway whose clock is off, with the world's gateway's key; its queue is on a disk."""

    world: World
    clock: Skewed
    queue: ReadingQueue
    pump: Pump

    def put(self) -> list[Reading]:
        """Three readings of the last minutes, acknowledged."""
        now = self.world.clock.at + self.queue.totals().rows  # others than those before
        readings = [Reading(now - 60 * each, 5.0 + each / 10, "mmol/L", 0) for each in range(1, 4)]
        assert self.queue.put([Measured(self.world.twin, "glucose", each) for each in readings]) == 3
        return readings

    def pass_an_hour(self) -> None:
        self.world.clock.advance(3600)
        self.pump.once()

    def once(self, readings: list[Reading]) -> bool:
        """Whether each of them is read, and once."""
        read = self.world.patient.read(self.world.twin, "glucose", "PATRQT")
        found = [(int(each.at.timestamp()), each.value) for each in read]
        return all(found.count((each.seconds, each.value)) == 1 for each in readings)


@pytest.fixture
def skew(world: World, tmp_path: Path) -> Iterator[Skew]:
    clock = Skewed(world, 0)
    gateway = Client(world.ledger, world.store, {}, world.gateway.context.key, clock)
    limits = Limits(2**20, 0)
    queue = ReadingQueue(tmp_path / "queue.db", gateway.context.key, clock, limits, lambda _: 2**30)
    yield Skew(world, clock, queue, Pump(gateway.context, gateway.writer, queue, PACE, dice=lambda: 1.0))
    queue.close()
    gateway.close()


@off
class TestAGateways:
    def test_loses_no_reading_and_writes_none_twice(self, skew: Skew, seconds: int) -> None:
        skew.clock.seconds = seconds
        during = skew.put()
        skew.pass_an_hour()
        during += skew.put()
        skew.clock.seconds = 0
        after = skew.put()
        for _ in range(3):
            skew.pass_an_hour()
        assert skew.once([*during, *after])
        assert (skew.queue.totals().rows, skew.pump.told.handed_over) == (0, 0)

    def test_that_goes_wrong_while_readings_wait_loses_none(self, skew: Skew, seconds: int) -> None:
        before = skew.put()
        skew.clock.seconds = seconds
        skew.pass_an_hour()
        skew.clock.seconds = 0
        for _ in range(3):
            skew.pass_an_hour()
        assert skew.once(before)
        assert skew.queue.totals().rows == 0

    def test_that_waits_too_short_for_a_new_grant_gives_the_readings_to_their_owner(
        self, skew: Skew, seconds: int
    ) -> None:
        world = skew.world
        before = skew.put()
        world.patient.consents.revoke_all(world.twin)
        skew.pass_an_hour()
        skew.clock.seconds = seconds
        skew.pass_an_hour()
        skew.clock.seconds = 0
        for _ in range(3):
            skew.pass_an_hour()
        for cid in skew.queue.letters(world.patient.address):
            world.patient.writer.adopt(cid)
        assert skew.once(before)


@off
class TestAClients:
    def client(self, world: World, like: Client, seconds: int) -> Client:
        return Client(world.ledger, world.store, world._custodians, like.context.key, Skewed(world, seconds))

    def test_is_no_way_in_and_set_right_it_reads(self, world: World, seconds: int) -> None:
        with self.client(world, world.clinician, seconds) as clinician, pytest.raises(DtledgerError) as caught:
            clinician.read(world.twin, "glucose", "TREAT")
        assert getattr(caught.value, "reason", None) is Reason.NOT_YET if seconds < 0 else "clock" in str(caught.value)
        assert [each.log.of_twin(world.twin) for each in world.custodians] == [[], [], []]
        assert len(world.clinician.read(world.twin, "glucose", "TREAT")) == len(world.readings)

    def test_keeps_no_revocation_from_being_in_force(self, world: World, seconds: int) -> None:
        with self.client(world, world.patient, seconds) as patient:
            patient.consents.revoke(world.consent)
        assert heard(Desk(world), 0) == Reason.REVOKED
        with pytest.raises(AccessDeniedError) as caught:
            world.clinician.read(world.twin, "glucose", "TREAT")
        assert caught.value.reason is Reason.REVOKED

    def test_writes_nothing_that_is_not_read_once(self, world: World, seconds: int) -> None:
        """A file put by a clock that is behind is of a time to come, and refused; put again it is there."""
        readings = [Reading(world.clock.at - 60 * each, 15.0 + each / 10, "mmol/L", 0) for each in range(1, 4)]
        with self.client(world, world.gateway, seconds) as gateway:
            try:
                gateway.writer.put(world.twin, "glucose", readings)
            except InputError:
                assert seconds < -MINUTES
        world.gateway.writer.put(world.twin, "glucose", readings)
        found = [each.value for each in world.patient.read(world.twin, "glucose", "PATRQT")]
        assert [found.count(each.value) for each in readings] == [1, 1, 1]

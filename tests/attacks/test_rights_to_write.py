"""Who may write: judged as of the block in which a snapshot was anchored.

What a writer without the right leaves does not count, and is reported where an index that counts lists it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dtledger.client import Terms
from dtledger.errors import IntegrityError
from dtledger.ledger import calls
from dtledger.readings import Group
from dtledger.testing import World
from dtledger.types import Digest, Period
from dtledger.vocabulary import Action

from .forging import DAY, Scribe
from .looking import forged, move, read

UNHEARD: dict[str, Callable[[Scribe], object]] = {
    "its grant was revoked": lambda scribe: scribe.world.patient.consents.revoke(scribe.slot),
    "all grants were revoked": lambda scribe: scribe.world.patient.consents.revoke_all(scribe.twin),
    "it was blocked": lambda scribe: scribe.world.patient.consents.block(scribe.twin, scribe.address),
    "it was suspended": lambda scribe: scribe.world.operator.members.suspend(scribe.address),
    "it is no gateway any more": lambda scribe: scribe.world.operator.members.set_kinds(scribe.address, 0),
    "its grant has ended": lambda scribe: scribe.world.clock.advance(31 * DAY),
}


@pytest.mark.parametrize("why", UNHEARD)
def test_what_is_written_when_the_right_has_ended_is_not_read_and_what_was_written_before_is(
    why: str, world: World
) -> None:
    scribe = Scribe(world)
    first, second = scribe.groups()
    scribe.write(groups=[first])
    UNHEARD[why](scribe)
    scribe.write(groups=[second])
    assert forged(read(world)) == [102.0, 102.5]


def test_a_member_that_is_no_gateway_cannot_write_under_a_grant(world: World) -> None:
    Scribe(world, "clerk", kinds=()).write()
    assert forged(read(world)) == []
    Scribe(world, "gateway-2").write()
    assert len(forged(read(world))) == 4


def test_data_outside_the_granted_period_do_not_count_and_are_reported(world: World) -> None:
    scribe = Scribe(world)
    first, second = scribe.groups()
    now = world.clock()
    terms = Terms(("glucose",), (), (Action.WRITE,), now, now + DAY, second.period)
    world.patient.consents.grant(world.twin, scribe.address, terms, scribe.slot.number)
    scribe.write(groups=[first, second])
    readings = read(world)
    assert forged(readings) == [101.0, 101.5]
    assert readings.uncounted == 1
    [report] = [each for each in world.patient.snapshots.verify(world.twin) if each.writer == scribe.address]
    assert (report.snapshots, report.uncounted, report.error) == (2, 1, None)


def test_a_grant_made_after_the_batch_does_not_make_it_count(world: World) -> None:
    scribe = Scribe(world)
    world.patient.consents.revoke(scribe.slot)
    first, second = scribe.groups()
    scribe.write(groups=[first])
    assert forged(read(world)) == []
    now = world.clock()
    terms = Terms(("glucose",), (), (Action.WRITE,), now, now + DAY, Period(world.readings[0].minute, now // 60 + 1440))
    world.patient.consents.grant(world.twin, scribe.address, terms, scribe.slot.number)
    assert forged(read(world)) == []
    scribe.write(groups=[second])
    readings = read(world)
    assert forged(readings) == [101.0, 101.5]
    assert readings.uncounted == 1


def test_what_is_anchored_while_the_owner_has_no_card_does_not_count(world: World) -> None:
    scribe = Scribe(world)
    first, second = scribe.groups()
    roster = world.patient.twins.roster(world.twin)
    heir = move(world)
    data = Period(world.readings[0].minute, world.clock() // 60 + 1440)
    terms = Terms(("glucose",), (), (Action.WRITE,), world.clock(), world.clock() + DAY, data)
    heir.consents.grant(world.twin, scribe.address, terms)
    scribe.write(groups=[first], roster=roster)
    assert forged(heir.read(world.twin, "glucose", "PATRQT")) == []
    heir.twins.set_up(world.twin, [each.address for each in world.custodians], 2)
    scribe.write(groups=[second], roster=heir.twins.roster(world.twin))
    readings = heir.read(world.twin, "glucose", "PATRQT")
    assert forged(readings) == [101.0, 101.5]
    assert readings.uncounted == 1


def test_what_somebody_else_anchored_is_in_no_batch_of_the_writer(world: World) -> None:
    """Anyone may anchor anything; it counts as what they themselves wrote."""
    scribe = Scribe(world)
    scribe.write()
    later = scribe.groups()[1]
    unanchored = Group(Period(later.period.end + 1, world.clock() // 60), later.readings)
    [waiting] = scribe.write(groups=[unanchored], anchored=False)
    call = calls.anchor_batch(waiting.leaf.hash, 1, Digest(bytes(32)))
    world.ledger.send(call, world.operator.context.key)
    scribe.write(groups=[unanchored])
    with pytest.raises(IntegrityError, match="in no batch of its writer") as caught:
        read(world)
    assert (caught.value.party, caught.value.block) == (scribe.address, str(waiting.manifest))


def test_the_owner_may_write_without_a_grant(world: World) -> None:
    before = len(read(world))
    reading = Scribe(world).groups()[0].readings[0]
    world.patient.writer.put(world.twin, "glucose", [reading])
    assert len(read(world)) == before + 1

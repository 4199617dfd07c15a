"""Who may write, and under which custodians: judged as of the block in which a snapshot was anchored.

What a writer without the right leaves does not count and is reported; a custody block under a roster that was not in
force is refused and named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dtledger.client import Readings, Terms
from dtledger.errors import AccessDeniedError, IntegrityError
from dtledger.ledger import Slot, calls
from dtledger.ledger.events import Card
from dtledger.readings import Group
from dtledger.snapshots.roster import Roster
from dtledger.testing import MemoryKey, World
from dtledger.types import Address, Digest, Period
from dtledger.vocabulary import Action, Kind

from .forging import DAY, Scribe

HOUR = 3600


def read(world: World) -> Readings:
    return world.patient.read(world.twin, "glucose", "PATRQT")


def forged(world: World) -> list[float]:
    return [each.value for each in read(world) if each.quality == "forged"]


# who may write -------------------------------------------------------------------------------------------------------


def outside(scribe: Scribe) -> None:
    """Writes data of a time for which its grant is not."""
    world, (first, second) = scribe.world, scribe.groups()
    terms = Terms(("glucose",), (), (Action.WRITE,), world.clock(), world.clock() + DAY, second.period)
    world.patient.consents.grant(scribe.twin, scribe.address, terms, scribe.slot.number)
    scribe.write(groups=[first])


def another_category(scribe: Scribe) -> None:
    """Has the right for both when it writes, then for another category alone, and writes again."""
    now = scribe.world.clock()
    data = Period(scribe.world.readings[0].minute, now // 60 + 1440)
    terms = Terms(("heart-rate",), (), (Action.WRITE,), now, now + DAY, data)
    packages = scribe.keys
    scribe.world.patient.consents.grant(scribe.twin, scribe.address, terms, scribe.slot.number)
    type(scribe).keys = property(lambda self: packages)  # type: ignore[method-assign, assignment]


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
    keys = scribe.keys
    UNHEARD[why](scribe)
    scribe.known = keys
    scribe.write(groups=[second])
    assert forged(world) == [102.0, 102.5]


def test_a_member_that_is_no_gateway_cannot_write_under_a_grant(world: World) -> None:
    Scribe(world, "clerk", kinds=()).write()
    assert forged(world) == []
    Scribe(world, "gateway-2").write()
    assert len(forged(world)) == 4


def test_data_outside_the_granted_period_do_not_count_and_are_reported(world: World) -> None:
    scribe = Scribe(world)
    first, second = scribe.groups()
    keys, now = scribe.keys, world.clock()
    terms = Terms(("glucose",), (), (Action.WRITE,), now, now + DAY, second.period)
    world.patient.consents.grant(world.twin, scribe.address, terms, scribe.slot.number)
    scribe.known = keys
    scribe.write(groups=[first, second])
    readings = read(world)
    assert [each.value for each in readings if each.quality == "forged"] == [101.0, 101.5]
    assert readings.uncounted == 1
    [report] = [each for each in world.patient.snapshots.verify(world.twin) if each.writer == scribe.address]
    assert (report.snapshots, report.uncounted, report.error) == (2, 1, None)


def test_a_grant_made_after_the_batch_does_not_make_it_count(world: World) -> None:
    scribe = Scribe(world)
    keys = scribe.keys
    world.patient.consents.revoke(scribe.slot)
    scribe.known = keys
    first, second = scribe.groups()
    scribe.write(groups=[first])
    assert forged(world) == []
    now = world.clock()
    terms = Terms(
        ("glucose",), (), (Action.WRITE,), now, now + DAY, Period(world.readings[0].minute, now // 60 + 1440)
    )
    world.patient.consents.grant(world.twin, scribe.address, terms, scribe.slot.number)
    assert forged(world) == []
    scribe.write(groups=[second])
    readings = read(world)
    assert [each.value for each in readings if each.quality == "forged"] == [101.0, 101.5]
    assert readings.uncounted == 1


def test_what_is_anchored_while_the_owner_has_no_card_does_not_count(world: World) -> None:
    twin, _ = world.operator.twins.mint(world.patient.twins.request_mint())
    world.patient.twins.set_up(twin, [each.address for each in world.custodians], 2)
    scribe = Scribe(world, twin=twin)
    scribe.write(groups=scribe.groups()[:1])
    heir, keys, roster = move(world, twin), scribe.keys, world.patient.twins.roster(twin)
    scribe.known = keys
    scribe.write(groups=scribe.groups()[1:], roster=roster)
    heir.twins.set_up(twin, [each.address for each in world.custodians], 2)
    reports = list(heir.snapshots.verify(twin))
    assert not any(each.error for each in reports)
    assert sum(each.snapshots - each.uncounted for each in reports) <= 1


def test_the_owner_may_write_without_a_grant(world: World) -> None:
    before = len(read(world))
    reading = Scribe(world).groups()[0].readings[0]
    world.patient.writer.put(world.twin, "glucose", [reading])
    assert len(read(world)) == before + 1


# under which custodians ------------------------------------------------------------------------------------------------


def others(world: World) -> list[Address]:
    """The custodians in another order, which is another roster."""
    return [each.address for each in world.custodians][::-1]


def test_a_roster_that_was_never_in_force_is_refused(world: World) -> None:
    roster = world.patient.twins.roster(world.twin)
    never = replace(roster, keys=roster.keys[::-1])
    scribe = Scribe(world)
    written = scribe.write(roster=never)
    assert_refused(world, scribe, str(written[0].custody))


def test_a_roster_of_a_version_to_come_is_refused(world: World) -> None:
    scribe = Scribe(world)
    written = scribe.write(roster=replace(world.patient.twins.roster(world.twin), version=2))
    assert_refused(world, scribe, str(written[0].custody))


@pytest.mark.parametrize(("seconds", "counts"), [(DAY - 1, True), (DAY, False), (3 * DAY, False)])
def test_the_roster_before_counts_for_less_than_a_day(seconds: int, counts: bool, world: World) -> None:
    old = world.patient.twins.roster(world.twin)
    scribe = Scribe(world)
    world.patient.twins.set_up(world.twin, others(world), 2)
    groups = scribe.groups()
    world.clock.advance(seconds)
    written = scribe.write(groups=groups, roster=old)
    if counts:
        assert len(forged(world)) == 4
    else:
        assert_refused(world, scribe, str(written[0].custody))


def test_the_roster_two_before_is_refused_however_fresh(world: World) -> None:
    old = world.patient.twins.roster(world.twin)
    scribe = Scribe(world)
    world.patient.twins.set_up(world.twin, others(world), 2)
    world.patient.twins.set_up(world.twin, others(world), 3)
    written = scribe.write(roster=old)
    assert_refused(world, scribe, str(written[0].custody))


def test_a_card_with_the_same_roster_leaves_it_and_the_one_before_as_they_were(world: World) -> None:
    old = world.patient.twins.roster(world.twin)
    scribe = Scribe(world)
    world.patient.twins.set_up(world.twin, others(world), 2)
    card = world.ledger.view().card(world.twin)
    assert card is not None
    set_card(world, replace(card, key_version=card.key_version + 1))
    scribe.write(roster=old)
    assert len(forged(world)) == 4


def test_what_was_sealed_under_an_earlier_roster_stays_readable(world: World) -> None:
    before = len(read(world))
    world.clock.advance(2 * DAY)
    world.patient.twins.set_up(world.twin, others(world), 3)
    world.clock.advance(2 * DAY)
    assert len(read(world)) == before


def test_today_s_roster_counts_for_an_earlier_snapshot_if_the_owner_signed(world: World) -> None:
    """The owner shared custody anew; a writer cannot do that for them."""
    scribe, owner = Scribe(world), world.patient.context.key
    groups = scribe.groups()
    card = world.ledger.view().card(world.twin)
    assert card is not None
    world.patient.twins.set_up(world.twin, others(world), 3)
    later = world.patient.twins.roster(world.twin)
    set_card(world, replace(card, key_version=3))  # the first roster stands again
    scribe.write(groups=groups[:1], roster=later, custody_signer=owner)
    world.clock.advance(2 * DAY)
    set_card(world, replace(card, roster=digest_of(world, later), roster_version=later.version, key_version=4))
    assert forged(world) == [102.0, 102.5]


def test_a_card_that_names_another_twin_s_roster_is_the_owner_s_fault(world: World) -> None:
    twin, _ = world.operator.twins.mint(world.patient.twins.request_mint())
    world.patient.twins.set_up(twin, [each.address for each in world.custodians], 2)
    card = world.ledger.view().card(world.twin)
    theirs = world.ledger.view().card(twin)
    assert card is not None and theirs is not None
    scribe = Scribe(world)
    set_card(world, replace(card, roster=theirs.roster, key_version=2))
    scribe.write()
    with pytest.raises(IntegrityError, match="another twin") as caught:
        read(world)
    assert caught.value.party == world.patient.address


def test_a_roster_with_a_key_that_its_custodian_did_not_sign_is_the_owner_s_fault(world: World) -> None:
    roster = world.patient.twins.roster(world.twin)
    false = replace(roster, version=2, keys=(replace(roster.keys[0], key=roster.keys[1].key), *roster.keys[1:]))
    card = world.ledger.view().card(world.twin)
    assert card is not None
    set_card(world, replace(card, roster=digest_of(world, false), roster_version=2))
    Scribe(world).write(roster=false)
    with pytest.raises(IntegrityError, match="did not sign") as caught:
        read(world)
    assert caught.value.party == world.patient.address


# steps ---------------------------------------------------------------------------------------------------------------


def digest_of(world: World, roster: Roster) -> Digest:
    return world.store.put(roster.encode(), "dag-cbor").digest


def set_card(world: World, card: Card) -> None:
    call = calls.set_card(world.twin, world.patient.twins.card_digest(world.twin), card)
    world.ledger.send(call, world.patient.context.key)


def assert_refused(world: World, scribe: Scribe, block: str) -> None:
    with pytest.raises(IntegrityError, match="under no roster") as caught:
        read(world)
    assert caught.value.party == scribe.address
    assert caught.value.block == block

"""Under which custodians a snapshot may be sealed: the roster in force when it was anchored, the one before for less
than a day, today's if the owner signed. Anything else is refused, and who signed it is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtledger.client import Terms
from dtledger.errors import IntegrityError
from dtledger.ledger import calls
from dtledger.ledger.events import Card
from dtledger.snapshots.roster import Roster
from dtledger.testing import World
from dtledger.types import Address, Digest, Period
from dtledger.vocabulary import Action

from .forging import DAY, HONEST, Scribe
from .looking import assert_refused, forged, move, read


def others(world: World) -> list[Address]:
    """The custodians in another order, which is another roster."""
    return [each.address for each in world.custodians][::-1]


def digest_of(world: World, roster: Roster) -> Digest:
    return world.store.put(roster.encode(), "dag-cbor").digest


def set_card(world: World, card: Card) -> None:
    call = calls.set_card(world.twin, world.patient.twins.card_digest(world.twin), card)
    world.ledger.send(call, world.patient.context.key)


def test_the_former_owner_s_roster_does_not_count_after_a_move_however_fresh(world: World) -> None:
    scribe = Scribe(world)
    world.patient.twins.set_up(world.twin, others(world), 2)
    roster = world.patient.twins.roster(world.twin)  # its second, and an heir counts from one
    heir = move(world)
    heir.twins.set_up(world.twin, others(world), 2)
    data = Period(world.readings[0].minute, world.clock() // 60 + 1440)
    terms = Terms(("glucose",), (), (Action.WRITE,), world.clock(), world.clock() + DAY, data)
    heir.consents.grant(world.twin, scribe.address, terms)
    scribe.write(roster=roster)
    with pytest.raises(IntegrityError, match="under no roster"):
        heir.read(world.twin, "glucose", "PATRQT")


def test_a_roster_that_was_never_in_force_is_refused(world: World) -> None:
    roster = world.patient.twins.roster(world.twin)
    never = replace(roster, keys=roster.keys[::-1])
    scribe = Scribe(world)
    written = scribe.write(roster=never)
    assert_refused(world, scribe, "under no roster", written[0].custody)


def test_a_roster_of_a_version_to_come_is_refused(world: World) -> None:
    scribe = Scribe(world)
    written = scribe.write(roster=replace(world.patient.twins.roster(world.twin), version=2))
    assert_refused(world, scribe, "under no roster", written[0].custody)


@pytest.mark.parametrize(("seconds", "counts"), [(DAY - 1, True), (DAY, False), (3 * DAY, False)])
def test_the_roster_before_counts_for_less_than_a_day(seconds: int, counts: bool, world: World) -> None:
    old = world.patient.twins.roster(world.twin)
    scribe = Scribe(world)
    world.patient.twins.set_up(world.twin, others(world), 2)
    groups = scribe.groups()
    world.clock.advance(seconds)
    written = scribe.write(groups=groups, roster=old)
    if counts:
        assert forged(read(world)) == HONEST
    else:
        assert_refused(world, scribe, "under no roster", written[0].custody)


def test_the_roster_two_before_is_refused_however_fresh(world: World) -> None:
    old = world.patient.twins.roster(world.twin)
    scribe = Scribe(world)
    world.patient.twins.set_up(world.twin, others(world), 2)
    world.patient.twins.set_up(world.twin, others(world), 3)
    written = scribe.write(roster=old)
    assert_refused(world, scribe, "under no roster", written[0].custody)


def test_a_card_with_the_same_roster_leaves_it_and_the_one_before_as_they_were(world: World) -> None:
    old = world.patient.twins.roster(world.twin)
    scribe = Scribe(world)
    world.patient.twins.set_up(world.twin, others(world), 2)
    card = world.ledger.view().card(world.twin)
    assert card is not None
    set_card(world, replace(card, key_version=card.key_version + 1))
    scribe.write(roster=old)
    assert forged(read(world)) == HONEST


def test_what_was_sealed_under_an_earlier_roster_stays_readable(world: World) -> None:
    before = len(read(world))
    world.clock.advance(2 * DAY)
    world.patient.twins.set_up(world.twin, others(world), 3)
    world.clock.advance(2 * DAY)
    assert len(read(world)) == before


def test_a_roster_that_came_after_the_batch_is_refused_of_a_writer(world: World) -> None:
    scribe = Scribe(world)
    card, groups = world.ledger.view().card(world.twin), scribe.groups()
    assert card is not None
    world.patient.twins.set_up(world.twin, others(world), 3)
    later = world.patient.twins.roster(world.twin)
    world.clock.advance(2 * DAY)
    set_card(world, replace(card, key_version=3))  # the first roster stands again
    world.clock.advance(2 * DAY)
    written = scribe.write(groups=groups, roster=later)
    set_card(world, replace(card, roster=digest_of(world, later), roster_version=later.version, key_version=4))
    assert_refused(world, scribe, "under no roster", written[0].custody)


def test_today_s_roster_counts_for_an_earlier_snapshot_if_the_owner_signed(world: World) -> None:
    """The owner shared custody anew; a writer cannot do that for them."""
    scribe, owner = Scribe(world), world.patient.context.key
    groups = scribe.groups()
    card = world.ledger.view().card(world.twin)
    assert card is not None
    world.patient.twins.set_up(world.twin, others(world), 3)
    later = world.patient.twins.roster(world.twin)
    set_card(world, replace(card, key_version=3))  # the first roster stands again
    world.clock.advance(2 * DAY)
    scribe.write(groups=groups[:1], roster=later, custody_signer=owner)
    world.clock.advance(2 * DAY)
    set_card(world, replace(card, roster=digest_of(world, later), roster_version=later.version, key_version=4))
    assert forged(read(world)) == [102.0, 102.5]


def test_a_card_that_names_another_twin_s_roster_is_the_owner_s_fault(world: World) -> None:
    twin, _ = world.operator.twins.mint(world.patient.twins.request_mint())
    world.patient.twins.set_up(twin, [each.address for each in world.custodians], 2)
    card = world.ledger.view().card(world.twin)
    theirs = world.ledger.view().card(twin)
    assert card is not None
    assert theirs is not None
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

"""Consents: how grants stand, what renewing changes, and what is told of those given and received."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtledger.client import GrantState, Terms
from dtledger.crypto.seal import SealKey
from dtledger.errors import InputError
from dtledger.ledger import Call, GrantRecord, Receipt, Sender, Slot
from dtledger.testing import MemoryKey, World
from dtledger.testing.world import DAY
from dtledger.types import Period
from dtledger.vocabulary import Action, Kind, Purpose


def record(world: World, slot: Slot) -> GrantRecord:
    found = world.patient.context.view().record(slot)
    assert found is not None
    return found


def state(world: World) -> GrantState:
    return world.patient.consents.state(record(world, world.consent))


def test_a_grant_is_live_blocked_ended_or_revoked(dtledger_world: World) -> None:
    world = dtledger_world
    consents = world.patient.consents
    assert state(world) is GrantState.LIVE
    consents.block(world.twin, world.clinician.address)
    assert state(world) is GrantState.BLOCKED
    consents.unblock(world.twin, world.clinician.address)
    world.clock.advance(30 * DAY)
    assert state(world) is GrantState.ENDED
    consents.revoke(world.consent)
    assert state(world) is GrantState.REVOKED


def test_a_grant_that_has_not_begun_sleeps(dtledger_world: World) -> None:
    world = dtledger_world
    now = world.clock.at
    terms = Terms(("meals",), (Purpose.TREAT,), (Action.READ,), now + 60, now + 120, Period(0, 1))
    slot, _ = world.patient.consents.grant(world.twin, world.clinician.address, terms)
    assert world.patient.consents.state(record(world, slot)) is GrantState.SLEEPING
    world.clock.advance(60)
    assert world.patient.consents.state(record(world, slot)) is GrantState.LIVE


def test_after_revoke_all_nothing_stands_and_nothing_can_be_renewed_or_sealed_anew(dtledger_world: World) -> None:
    world = dtledger_world
    consents = world.patient.consents
    consents.revoke_all(world.twin)
    assert state(world) is GrantState.REVOKED
    for attempt in (
        lambda: consents.renew(world.consent, world.clock.at + DAY),
        lambda: consents.reseal(world.consent),
    ):
        with pytest.raises(InputError):
            attempt()
    assert not world.clinician.explain(world.twin, "glucose", "TREAT").permits


def test_what_is_kept_while_everything_ends_is_told(dtledger_world: World) -> None:
    world = dtledger_world
    consents = world.patient.consents
    (writer,) = consents.writers(world.twin)
    done = consents.revoke_all(world.twin, [writer, writer])
    assert (done.kept, done.skipped) == ((writer,), ())
    assert consents.writers(world.twin) == [writer]
    assert state(world) is GrantState.REVOKED


@pytest.mark.parametrize("early", [True, False], ids=["before this looks", "before this lands"])
def test_a_grantee_that_gives_back_what_is_to_be_kept_stops_nothing(
    dtledger_world: World, monkeypatch: pytest.MonkeyPatch, early: bool
) -> None:
    world = dtledger_world
    consents = world.patient.consents
    (writer,) = consents.writers(world.twin)
    other, _ = consents.grant(world.twin, world.hospital.address, consents.terms_of(record(world, writer)))
    send = world.ledger.send

    def outrun(call: Call, sender: Sender) -> Receipt:
        monkeypatch.undo()
        world.gateway.consents.revoke(writer)
        return send(call, sender)

    if early:
        world.gateway.consents.revoke(writer)
    else:
        monkeypatch.setattr(world.ledger, "send", outrun)
    done = consents.revoke_all(world.twin, [writer, other])
    assert (done.kept, done.skipped) == ((other,), (writer,))
    assert state(world) is GrantState.REVOKED
    assert consents.writers(world.twin) == [other]
    again, _ = consents.grant(world.twin, world.gateway.address, consents.terms_of(record(world, other)))
    assert consents.revoke_all(world.twin, [again]).kept == (again,)


def test_only_what_the_owner_gave_on_the_twin_can_be_kept(dtledger_world: World) -> None:
    world = dtledger_world
    consents = world.patient.consents
    (writer,) = consents.writers(world.twin)
    for other in (replace(writer, twin=world.twin + 1), replace(writer, owner=world.clinician.address)):
        with pytest.raises(InputError):
            consents.revoke_all(world.twin, [writer, other])
    assert state(world) is GrantState.LIVE
    assert consents.revoke_all(world.twin, [writer]).kept == (writer,)


def test_renewing_moves_the_end_of_the_data_only_if_they_ended_with_the_grant(dtledger_world: World) -> None:
    world = dtledger_world
    consents, now = world.patient.consents, world.clock.at
    assert consents.renewed(world.consent, now + 60 * DAY).data.end == (now + 60 * DAY) // 60
    assert consents.renewed(world.consent, now + DAY).data.end == (now + DAY) // 60, "and back"
    assert consents.renewed(world.consent, now + DAY, data_until=now // 60).data.end == now // 60
    fixed = Terms(
        ("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + DAY, Period(world.readings[0].minute, now // 60)
    )
    slot, _ = consents.grant(world.twin, world.clinician.address, fixed)
    consents.renew(slot, now + 90 * DAY)
    assert consents.terms_of(record(world, slot)) == replace(fixed, expires_at=now + 90 * DAY)
    with pytest.raises(InputError):
        consents.renewed(slot, now + DAY, data_until=fixed.data.start - 1)


def test_a_grantee_is_told_what_it_received_and_of_nobody_elses(dtledger_world: World) -> None:
    world = dtledger_world
    received = world.clinician.consents.received()
    assert [each.slot for each in received] == [world.consent]
    assert world.clinician.consents.names(received[0]) == ("glucose",)
    writing = world.gateway.consents.received()
    assert [each.slot.grantee for each in writing] == [world.gateway.address]
    assert world.patient.consents.received() == []


def test_a_member_receives_what_its_organisation_received(dtledger_world: World) -> None:
    world = dtledger_world
    terms = world.patient.consents.terms_of(record(world, world.consent))
    slot, _ = world.patient.consents.grant(world.twin, world.hospital.address, terms)
    assert slot in [each.slot for each in world.clinician.consents.received()]
    assert slot not in [each.slot for each in world.gateway.consents.received()]


def test_who_has_no_key_to_a_grant_sees_bits_and_never_a_guess(dtledger_world: World) -> None:
    world = dtledger_world
    found = record(world, world.consent)
    (name,) = world.gateway.consents.names(found)
    assert name == f"bit {found.grant.categories.bit_length() - 1}"
    assert world.patient.consents.names(found) == ("glucose",)


def test_categories_come_in_the_order_of_the_vocabulary_whatever_their_bits(dtledger_world: World) -> None:
    world = dtledger_world
    now = world.clock.at
    names = ("glucose", "meals", "sleep", "notes", "forecast")
    terms = Terms(names[::-1], (Purpose.TREAT,), (Action.READ,), now, now + DAY, Period(0, 1))
    slot, _ = world.patient.consents.grant(world.twin, world.clinician.address, terms)
    assert world.patient.consents.terms_of(record(world, slot)).categories == names
    assert world.clinician.consents.names(record(world, slot)) == names


def test_what_a_slot_last_said_is_kept_by_the_ledgers_events(dtledger_world: World) -> None:
    world = dtledger_world
    before = record(world, world.consent)
    world.patient.consents.revoke(world.consent)
    assert world.patient.consents.last_given(world.consent) == before
    assert world.patient.consents.last_given(replace(world.consent, number=7)) is None


def test_a_grant_needs_to_be_sealed_anew_when_its_grantee_has_another_key(dtledger_world: World) -> None:
    world = dtledger_world
    key = MemoryKey("locum")
    world._enrol(key, [Kind.CLINICIAN])
    who = world.client(key)
    terms = world.patient.consents.terms_of(record(world, world.consent))
    slot, _ = world.patient.consents.grant(world.twin, who.address, terms)
    assert not world.patient.consents.needs_reseal(record(world, slot))
    key.update(lambda held: held.with_seal_key(SealKey.generate()))
    who.members.update(who.members.card("locum"))
    assert world.patient.consents.needs_reseal(record(world, slot))
    world.patient.consents.reseal(slot)
    assert not world.patient.consents.needs_reseal(record(world, slot))
    assert world.patient.consents.terms_of(record(world, slot)) == terms


def test_several_grants_end_in_one_transaction(dtledger_world: World) -> None:
    world = dtledger_world
    terms = world.patient.consents.terms_of(record(world, world.consent))
    more, _ = world.patient.consents.grant(world.twin, world.clinician.address, terms)
    world.patient.consents.revoke_many(world.twin, [world.consent, more])
    assert {world.patient.consents.state(record(world, each)) for each in (world.consent, more)} == {GrantState.REVOKED}
    assert len(world.patient.consents.writers(world.twin)) == 1, "the gateway's stands"


def test_terms_of_an_unknown_category_are_refused() -> None:
    with pytest.raises(InputError):
        Terms(("glucos",), (Purpose.TREAT,), (Action.READ,), 0, 1, Period(0, 0))

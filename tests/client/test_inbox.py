"""An owner's inbox: each thing is there until its cause is gone, and what cannot be seen is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtledger.client import Ask, Client, Item, ItemKind, publish_keyring
from dtledger.custodian import MemoryTwinKeys
from dtledger.errors import AccessDeniedError, UnreachableError
from dtledger.testing import Fault, MemoryKey, World
from dtledger.testing.world import DAY
from dtledger.vocabulary import Action, Cause, Finding, Kind, Purpose


@pytest.fixture
def world(dtledger_world: World) -> World:
    return dtledger_world


def kinds(world: World, who: Client | None = None) -> list[ItemKind]:
    """Without the backup, of which a memory key has none."""
    found = (who or world.patient).inbox.look(world.twin)
    return [each.kind for each in found if each.kind is not ItemKind.BACKUP and not _writes(each)]


def _writes(item: Item) -> bool:
    """The world's gateway may write for 30 days, which is soon."""
    return item.kind is ItemKind.ENDING and bool(item.about.grant.actions & Action.WRITE.mask)  # type: ignore[attr-defined]


def test_a_quiet_twin_has_nothing_to_tell_but_that_no_backup_was_made(world: World) -> None:
    assert kinds(world) == []
    key = world.patient.context.key
    assert ItemKind.BACKUP in [each.kind for each in world.patient.inbox.look(world.twin)]
    key.update(lambda held: held.with_backup(held, world.clock.at))
    assert ItemKind.BACKUP not in [each.kind for each in world.patient.inbox.look(world.twin)]


def test_a_grant_that_ends_soon_is_told_until_it_is_renewed(world: World) -> None:
    world.clock.advance(24 * DAY)
    assert kinds(world) == [ItemKind.ENDING]
    world.patient.consents.renew(world.consent, world.clock.at + 30 * DAY)
    assert kinds(world) == []


def test_a_gateway_s_end_is_told_a_month_before(world: World) -> None:
    world.clock.advance(60)
    items = world.patient.inbox.look(world.twin)
    assert [each.party for each in items if each.kind is ItemKind.ENDING] == [world.gateway.address]


def test_a_custodian_that_lost_its_key_is_told_until_custody_is_shared_anew(world: World) -> None:
    custodian = world.custodians[0]
    custodian._twin_keys = MemoryTwinKeys()
    items = world.patient.inbox.look(world.twin)
    assert [each.party for each in items if each.kind is ItemKind.RESHARE] == [custodian.address]
    world.patient.resharing.reshare(world.twin)
    assert kinds(world) == []


def test_a_request_waits_until_it_is_answered(world: World) -> None:
    doctor = world.join("doctor", [Kind.CLINICIAN])
    ask = Ask(("glucose",), (Purpose.TREAT,), (Action.READ,), 30 * DAY, "Before your visit.")
    request, _ = doctor.consents.request(world.twin, ask)
    assert kinds(world) == [ItemKind.REQUEST]
    world.patient.consents.respond(world.patient.consents.addressed(world.twin).the(request.id), None)
    assert kinds(world) == []


def test_an_emergency_is_urgent_then_its_review_overdue(world: World) -> None:
    ambulance = world.join("ambulance", [Kind.EMERGENCY])
    medic = world.join("medic", [Kind.EMERGENCY], ambulance)
    auditor = world.join("auditor", [Kind.AUDITOR])
    publish_keyring(ambulance.context, [medic.address])
    slot, _ = world.patient.emergencies.let(world.twin, ambulance.address)
    opening, _ = medic.emergencies.open(slot, Cause.OVRINCOMP)
    assert kinds(world) == [ItemKind.OPENING]
    world.clock.advance(opening.review_by - world.clock.at)
    assert kinds(world) == [ItemKind.OVERDUE]
    auditor.emergencies.review(opening.number, next(iter(Finding)))
    assert kinds(world) == [ItemKind.OPENING], "told for a month"
    world.clock.advance(opening.at + 30 * DAY - world.clock.at)
    assert ItemKind.OPENING not in kinds(world)


def test_what_guardians_begin_comes_first(world: World) -> None:
    friends = [world.client(MemoryKey(name)) for name in ("bea", "cem", "dot")]
    chosen, _ = world.patient.guardians.choose(world.twin, 2, [each.address for each in friends])
    act = friends[0].guardians.begin("Freeze", world.twin, chosen)
    for each in friends[:2]:
        act = each.guardians.sign(act)
    friends[0].guardians.send(act)
    world.clock.advance(24 * DAY)
    assert kinds(world)[0] is ItemKind.FREEZE
    assert ItemKind.FREEZE.urgent
    world.clock.advance(7 * DAY)
    assert ItemKind.FREEZE not in kinds(world)


def test_a_custodian_that_gives_no_account_is_said_and_hides_nothing_else(world: World) -> None:
    world.clock.advance(24 * DAY)
    world.custodians[0].fault = Fault.DEAD
    assert set(kinds(world)) >= {ItemKind.UNKNOWN, ItemKind.ENDING}
    (dead,) = {each.party for each in world.patient.inbox.look(world.twin) if each.kind is ItemKind.UNKNOWN}
    assert dead == world.custodians[0].address
    world.custodians[0].fault = None
    assert ItemKind.UNKNOWN not in kinds(world)


def test_a_list_with_a_hole_names_its_custodian(world: World) -> None:
    for _ in range(2):
        world.clinician.read(world.twin, "glucose", "TREAT")
    log = world.custodians[1].log
    del log._by_twin[world.twin][0]
    (item,) = [each for each in world.patient.inbox.look(world.twin) if each.kind is ItemKind.RECEIPTS]
    assert item.party == world.custodians[1].address


def test_it_is_its_owners_alone_and_a_dead_ledger_is_no_empty_inbox(world: World, tmp_path: Path) -> None:
    with pytest.raises(AccessDeniedError):
        world.clinician.inbox.look(world.twin)
    world.ledger.unreachable = True
    with pytest.raises(UnreachableError):
        world.patient.inbox.look(world.twin)

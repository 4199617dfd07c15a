"""Snapshots as they lie: who sees which names, and what holds together."""

from __future__ import annotations

import pytest

from dtledger.client import Client, Listed, Terms, writing_terms
from dtledger.client.keyrings import owner_keys
from dtledger.encoding import CID
from dtledger.errors import AccessDeniedError, CannotCheckError, IntegrityError
from dtledger.ledger import calls
from dtledger.readings import Reading, encode_readings
from dtledger.snapshots import index
from dtledger.snapshots.staging import Staging
from dtledger.snapshots.writer import Draft, Target, seal_batch
from dtledger.store import BlockMissingError
from dtledger.testing import MemoryKey, World
from dtledger.testing.world import DAY
from dtledger.types import ZERO_DIGEST, Digest, Period
from dtledger.vocabulary import Action, Purpose, Reason


def listed(client: Client, world: World, category: str | None = None, *, unnamed: bool = False) -> list[Listed]:
    return [each for group in client.snapshots.list(world.twin, category, unnamed=unnamed) for each in group]


def write_meals(world: World) -> None:
    now = world.clock.at
    terms = writing_terms(["meals"], now, DAY)
    world.patient.consents.grant(world.twin, world.gateway.address, terms)
    world.gateway.writer.put(world.twin, "meals", [Reading(now // 60 * 60, 45.0, "g")])


def test_the_owner_names_all_a_grantee_its_own_and_a_stranger_none(dtledger_world: World) -> None:
    world = dtledger_world
    write_meals(world)
    stranger = world.client(MemoryKey("stranger"))
    assert {each.category for each in listed(world.patient, world)} == {"glucose", "meals"}
    assert {each.category for each in listed(world.clinician, world)} == {"glucose"}
    assert {each.category for each in listed(world.clinician, world, unnamed=True)} == {"glucose", None}
    assert {each.category for each in listed(stranger, world)} == {None}
    assert len(listed(stranger, world)) == len(listed(world.patient, world)) == 7


def test_whether_a_snapshot_counts_is_told_only_by_who_knows_its_bit(dtledger_world: World) -> None:
    world = dtledger_world
    stranger = world.client(MemoryKey("stranger"))
    assert {each.found.counts for each in listed(world.clinician, world)} == {True}
    assert {each.found.counts for each in listed(stranger, world)} == {None}
    twin, _ = world.operator.twins.mint(world.patient.twins.request_mint())
    world.patient.twins.set_up(twin, [each.address for each in world.custodians], 2)
    world.patient.writer.put(twin, "glucose", world.readings)
    counts = {each.found.counts for group in stranger.snapshots.list(twin) for each in group}
    assert counts == {True}, "an owner's counts whatever its category is"


def test_a_name_needs_a_grant_in_force(dtledger_world: World) -> None:
    world = dtledger_world
    assert world.clinician.snapshots.categories(world.twin) == ["glucose"]
    with pytest.raises(AccessDeniedError) as caught:
        listed(world.clinician, world, "meals")
    assert caught.value.reason is Reason.CATEGORY
    world.patient.consents.block(world.twin, world.clinician.address)
    assert world.clinician.snapshots.categories(world.twin) == []
    with pytest.raises(AccessDeniedError):
        list(world.clinician.snapshots.periods(world.twin, "glucose"))
    world.patient.consents.unblock(world.twin, world.clinician.address)
    assert len(list(world.clinician.snapshots.periods(world.twin, "glucose"))) == 6


def test_a_writer_names_what_it_writes_and_a_trainer_what_it_trains_on(dtledger_world: World) -> None:
    world = dtledger_world
    assert world.gateway.snapshots.categories(world.twin) == ["glucose"]
    now = world.clock.at
    terms = Terms(("sleep",), (Purpose.HRESCH,), (Action.TRAIN,), now, now + DAY, Period(0, now // 60))
    world.patient.consents.grant(world.twin, world.clinician.address, terms)
    assert world.clinician.snapshots.categories(world.twin) == ["glucose"], "it is no researcher"


def test_periods_choose_by_the_data(dtledger_world: World) -> None:
    world = dtledger_world
    minute = world.readings[-1].minute
    late = Period(minute, minute)
    assert len(list(world.patient.snapshots.periods(world.twin, "glucose", late))) == 1
    groups = list(world.patient.snapshots.list(world.twin, "glucose", late))
    assert [each.found.manifest.period.contains(late) for group in groups for each in group] == [True]
    assert world.patient.snapshots.newest(world.twin) == {"glucose": minute}


def test_a_snapshot_is_found_by_its_digest(dtledger_world: World) -> None:
    world = dtledger_world
    wanted = listed(world.patient, world)[3].found.digest
    assert world.patient.snapshots.show(wanted).found.manifest.sequence == 3
    assert world.client(MemoryKey("stranger")).snapshots.show(wanted).category is None
    with pytest.raises(BlockMissingError):
        world.patient.snapshots.show(Digest(bytes(32)))


def test_a_snapshot_that_is_stored_and_not_anchored_cannot_be_checked(dtledger_world: World) -> None:
    world = dtledger_world
    patient, context = world.patient, world.patient.context
    keys = owner_keys(context.key.secrets.twin(context.deployment.id, world.twin))
    target = Target(world.twin, keys, patient.twins.roster(world.twin))
    minute = world.readings[0].minute
    blocks = Staging(context.store)
    draft = Draft("glucose", Period(minute, minute), encode_readings("glucose", world.readings[:1]))
    sealed = seal_batch(context.deployment, blocks, context.key, None, ZERO_DIGEST, {}, [(target, draft)])
    blocks.flush()
    digest = sealed.written[0].manifest.digest
    with pytest.raises(CannotCheckError):
        patient.snapshots.show(digest)
    context.ledger.send(calls.anchor_batch(sealed.root, 1, sealed.index.digest), context.key)
    assert patient.snapshots.show(digest).found.counts


def test_a_twin_that_is_not_there_has_nothing_to_list(dtledger_world: World) -> None:
    with pytest.raises(AccessDeniedError) as caught:
        list(dtledger_world.patient.snapshots.list(999))
    assert caught.value.reason is Reason.TWIN_UNKNOWN


def test_what_was_written_holds_together(dtledger_world: World) -> None:
    world = dtledger_world
    write_meals(world)
    reports = list(world.patient.snapshots.verify(world.twin))
    assert [(each.category, each.snapshots, each.error) for each in reports] == [
        ("glucose", 6, None),
        ("meals", 1, None),
    ]
    (own,) = world.clinician.snapshots.verify(world.twin)
    assert (own.category, own.uncounted, own.unchecked) == ("glucose", 0, 0)
    assert {each.unchecked for each in world.client(MemoryKey("x")).snapshots.verify(world.twin)} == {6, 1}


def test_late_snapshots_are_counted(dtledger_world: World) -> None:
    world = dtledger_world
    world.clock.advance(3 * DAY)
    world.gateway.writer.put(world.twin, "glucose", [Reading(world.readings[-1].seconds + 60, 5.0, "mmol/L")])
    (report,) = world.patient.snapshots.verify(world.twin, "glucose")
    assert (report.snapshots, report.late) == (7, 1)


def test_a_damaged_block_fails_its_stream_and_no_other(dtledger_world: World) -> None:
    world = dtledger_world
    write_meals(world)
    broken = CID(listed(world.patient, world, "glucose")[2].found.digest)
    world.store.damage(broken)
    glucose, meals = world.patient.snapshots.verify(world.twin)
    assert isinstance(glucose.error, IntegrityError)
    assert glucose.error.block == str(broken)
    assert meals.error is None
    world.store.remove([broken])
    with pytest.raises(BlockMissingError):
        list(world.patient.snapshots.verify(world.twin))


def test_an_index_that_lost_what_an_earlier_one_had_names_its_writer(dtledger_world: World) -> None:
    world = dtledger_world
    (whole,) = world.patient.snapshots.verify(world.twin)
    assert whole.error is None
    context = world.gateway.context
    newest = context.view().newest_batch(world.gateway.address)
    assert newest is not None
    stream = index.find(context.store, CID(newest.index), whole.label)
    assert stream is not None
    (link,) = index.links(context.store, stream)
    rows = link.read(context.store.get(link.cid)).rows
    blocks = Staging(context.store)
    shorter = index.append(blocks, None, rows[:3])
    root = index.update(blocks, CID(newest.index), {whole.label: shorter}, newest.after)
    blocks.flush()
    context.ledger.send(calls.anchor_batch(Digest(bytes(31) + b"\1"), 1, root.digest), context.key)
    (report,) = world.patient.snapshots.verify(world.twin)
    assert report.error is not None
    assert "earlier one" in report.error.message
    assert report.error.party == world.gateway.address


def test_a_walk_over_many_pages_checks_the_seams_between_them(
    dtledger_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages are fetched some at a time; the order must hold from one fetch to the next."""
    world = dtledger_world
    monkeypatch.setattr("dtledger.snapshots.finder.PAGES_AT_ONCE", 1)
    start = world.readings[-1].seconds + 60
    readings = [Reading(start + hour * 3600, 5.0, "mmol/L") for hour in range(70)]
    world.clock.advance(70 * 3600)
    world.gateway.writer.put(world.twin, "glucose", readings)
    (report,) = world.patient.snapshots.verify(world.twin)
    assert (report.snapshots, report.error) == (76, None)
    groups = list(world.patient.snapshots.list(world.twin, "glucose"))
    assert [len(group) for group in groups] == [64, 12]

"""Erasing a twin: what stops at once, what can be taken back, what is gone in the end and who said so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtledger.client import Client, Erasure
from dtledger.encoding import CID
from dtledger.errors import AccessDeniedError, InputError, UnreachableError
from dtledger.ledger.rejections import RetiredError, RetirementAnnouncedError, RetirementNotAnnouncedError
from dtledger.testing import Fault, MemoryKey, World
from dtledger.testing.world import glucose
from dtledger.vocabulary import Reason
from tests.attacks.looking import second_twin

WEEK = 7 * 86_400


@pytest.fixture
def world() -> Iterator[World]:
    with World(hours=3) as world:
        yield world


def retire(world: World, owner: Client | None = None) -> Client:
    """The retirement of the world's twin is final; its owner."""
    owner = owner or world.patient
    owner.erasing.announce(world.twin)
    world.clock.advance(WEEK)
    return owner


def snapshot_blocks(world: World) -> set[CID]:
    """The world's twin's manifests, custody blocks, chunks and packages: whatever is of nobody else's."""
    found = set()
    for group in world.patient.snapshots.list(world.twin, unnamed=True):
        for each in group:
            found |= set(each.found.blocks)
    pages = {each for each in found if _is_page(world, each)}
    return found - pages


def _is_page(world: World, cid: CID) -> bool:
    return cid.codec == "dag-cbor" and b"rows" in world.store.get(cid)[:40]


def test_reads_stop_at_once_and_the_owners_too(world: World) -> None:
    world.patient.erasing.announce(world.twin)
    for who, purpose in ((world.clinician, "TREAT"), (world.patient, "PATRQT")):
        with pytest.raises(AccessDeniedError) as caught:
            who.read(world.twin, "glucose", purpose)
        assert caught.value.reason is Reason.RETIRED
    assert world.patient.erasing.final_at(world.twin) == world.clock() + WEEK
    assert not world.patient.erasing.is_final(world.twin)


def test_what_is_cancelled_is_as_before(world: World) -> None:
    erasing = world.patient.erasing
    erasing.announce(world.twin)
    with pytest.raises(RetirementAnnouncedError):
        erasing.announce(world.twin)
    erasing.cancel(world.twin)
    assert erasing.final_at(world.twin) == 0
    assert len(world.clinician.read(world.twin, "glucose", "TREAT")) == len(world.readings)
    with pytest.raises(RetirementNotAnnouncedError):
        erasing.cancel(world.twin)


def test_nothing_is_destroyed_before_it_is_final_and_then_it_cannot_be_cancelled(world: World) -> None:
    erasing, blocks = world.patient.erasing, snapshot_blocks(world)
    with pytest.raises(InputError, match="not final"):
        erasing.finish(world.twin)
    erasing.announce(world.twin)
    world.clock.advance(WEEK - 1)
    with pytest.raises(InputError, match="not final"):
        erasing.finish(world.twin)
    assert all(world.store.has(cid) for cid in blocks)
    assert all(each._twin_keys.all_of(world.twin) for each in world.custodians)
    world.clock.advance(1)
    assert erasing.is_final(world.twin)
    with pytest.raises(RetiredError):
        erasing.cancel(world.twin)


def test_in_the_end_no_custodian_has_a_pair_and_the_store_no_block(world: World) -> None:
    blocks = snapshot_blocks(world)
    package = world.ledger.view().record(world.consent)
    assert package is not None
    done = retire(world).erasing.finish(world.twin)
    assert done.holds
    assert set(done.signed) == {each.address for each in world.custodians}
    assert done.unsigned == {}
    (roster,) = done.rosters
    assert (roster.needed, roster.destroyed, roster.holds) == (2, roster.custodians, True)
    assert not any(each._twin_keys.all_of(world.twin) for each in world.custodians)
    assert not any(world.store.has(cid) for cid in {*blocks, CID(package.package)})
    assert (done.blocks.snapshots, done.blocks.left, done.blocks.faults) == (3, [], {})
    assert done.blocks.blocks == len(blocks) + 2, "and two packages"
    assert isinstance(done.read, AccessDeniedError)
    assert done.owners == (world.patient.address,)
    assert done.writers == (world.gateway.address,)
    assert set(done.grantees) == {world.gateway.address, world.clinician.address}


def test_nobody_but_the_owner_ends_a_twin(world: World) -> None:
    with pytest.raises(AccessDeniedError):
        world.clinician.erasing.announce(world.twin)
    retire(world)
    for attempt in (world.clinician.erasing.cancel, world.clinician.erasing.finish):
        with pytest.raises(AccessDeniedError):
            attempt(world.twin)
    assert world.patient.erasing.finish(world.twin).holds


def test_who_does_not_answer_is_named_and_asked_again(world: World) -> None:
    one, two, _ = world.custodians
    one.fault = two.fault = Fault.DEAD
    owner = retire(world)
    done = owner.erasing.finish(world.twin)
    assert not done.holds
    assert set(done.unsigned) == {one.address, two.address}
    assert all(isinstance(each, UnreachableError) for each in done.unsigned.values())
    assert [each.holds for each in done.rosters] == [False]
    one.fault = None
    again = owner.erasing.finish(world.twin)
    assert again.holds, "one of three alone opens nothing"
    assert set(again.unsigned) == {two.address}
    assert again.blocks.snapshots == 3
    assert again.blocks.blocks == 0


def test_a_custodian_whose_pair_is_not_among_those_it_names_did_not_destroy_it(world: World) -> None:
    for liar in world.custodians[:2]:
        liar._twin_keys._pairs = {}  # type: ignore[attr-defined]
    done = retire(world).erasing.finish(world.twin)
    assert len(done.signed) == 3
    assert done.rosters[0].destroyed == (world.custodians[2].address,)
    assert not done.holds


def test_what_was_cut_short_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = snapshot_blocks(world)
    owner = retire(world)
    remove, calls = world.store.remove, []

    def removing(cids: list[CID]) -> None:
        calls.append(cids)
        if len(calls) == 2:
            remove(cids[:2])
            raise UnreachableError("the store is gone (by order of the test)")
        remove(cids)

    monkeypatch.setattr(world.store, "remove", removing)
    with pytest.raises(UnreachableError):
        owner.erasing.finish(world.twin)
    assert any(world.store.has(cid) for cid in blocks)
    done = owner.erasing.finish(world.twin)
    assert done.holds
    assert not any(world.store.has(cid) for cid in blocks)


def test_another_twin_of_the_same_owner_and_writer_is_as_before(world: World) -> None:
    other = second_twin(world)
    world.patient.writer.put(other, "glucose", glucose(world.clock.at - 3600, 6))
    before = [[each.found.digest for each in group] for group in world.patient.snapshots.list(other)]
    erased(world)
    assert len(world.patient.read(other, "glucose", "PATRQT")) == 6
    after = [[each.found.digest for each in group] for group in world.patient.snapshots.list(other)]
    assert after == before
    assert [[e.found.digest for e in group] for group in world.clinician.snapshots.list(other, unnamed=True)] == before
    assert all(report.error is None for report in world.patient.snapshots.verify(other))
    show = world.clinician.snapshots.show(before[0][0])
    assert show.found.manifest.twin == other


def erased(world: World) -> Erasure:
    done = retire(world).erasing.finish(world.twin)
    assert done.holds
    return done


def test_strangers_see_other_twins_of_a_writer_whose_first_twin_was_erased(world: World) -> None:
    other = second_twin(world)
    world.patient.writer.put(world.twin, "glucose", glucose(world.clock.at - 3600, 6))
    world.patient.writer.put(other, "glucose", glucose(world.clock.at - 3600, 6))
    erased(world)
    found = [
        each.found.manifest.twin for group in world.clinician.snapshots.list(other, unnamed=True) for each in group
    ]
    assert set(found) == {other}


def test_after_a_move_every_roster_there_ever_was_is_asked(world: World) -> None:
    heir = world.client(MemoryKey("heir"))
    acceptance = heir.twins.accept_move(world.twin)
    handover = world.patient.twins.hand_over(world.twin, acceptance.to, acceptance.key)
    world.patient.twins.move(acceptance)
    heir.twins.take_over(handover, [each.address for each in world.custodians[1:]], 2)
    heir.writer.put(world.twin, "glucose", glucose(world.clock.at - 3600, 6))
    done = retire(world, heir).erasing.finish(world.twin)
    assert [(each.owner, len(each.custodians), each.holds) for each in done.rosters] == [
        (world.patient.address, 3, True),
        (heir.address, 2, True),
    ]
    assert set(done.signed) == {each.address for each in world.custodians}
    assert not any(each._twin_keys.all_of(world.twin) for each in world.custodians)
    assert done.owners == (world.patient.address, heir.address)


def test_a_new_owner_without_the_secrets_erases_all_the_same(world: World) -> None:
    blocks = snapshot_blocks(world)
    heir = world.client(MemoryKey("heir"))
    world.patient.twins.move(heir.twins.accept_move(world.twin))
    heir.twins.set_up(world.twin, [each.address for each in world.custodians], 2)
    done = retire(world, heir).erasing.finish(world.twin)
    assert done.holds
    assert not any(world.store.has(cid) for cid in blocks)


def test_a_roster_that_is_not_to_be_had_is_said_and_nothing_holds_for_it(world: World) -> None:
    card = world.ledger.view().card(world.twin)
    assert card is not None
    roster = world.store.get(CID(card.roster))
    world.store.remove([CID(card.roster)])
    owner = retire(world)
    done = owner.erasing.finish(world.twin)
    assert not done.holds
    assert [each.error is not None for each in done.rosters] == [True]
    world.store.put(roster, "dag-cbor")
    assert owner.erasing.finish(world.twin).holds


def test_secrets_are_forgotten_only_when_that_is_said(world: World) -> None:
    owner = retire(world)
    owner.erasing.finish(world.twin)
    deployment = world.ledger.deployment.id
    assert owner.context.key.secrets.has_twin(deployment, world.twin)
    owner.erasing.forget(world.twin)
    assert not owner.context.key.secrets.has_twin(deployment, world.twin)
    assert owner.erasing.finish(world.twin).holds, "and it can be told again"


def test_a_manifest_that_is_damaged_is_removed_too(world: World) -> None:
    manifests = [each.found.digest for group in world.patient.snapshots.list(world.twin, "glucose") for each in group]
    world.store.damage(CID(manifests[1]))
    assert erased(world).blocks.left == []
    assert not any(world.store.has(CID(each)) for each in manifests)


def test_custody_that_was_shared_anew_goes_too(world: World) -> None:
    """Of every index that a card ever named."""
    custody = set()
    for threshold in (1, 3):
        world.patient.resharing.reshare(world.twin, threshold=threshold)
        listed = [each.found for group in world.patient.snapshots.list(world.twin, "glucose") for each in group]
        assert all(each.reshared for each in listed)
        custody |= {each.row.custody for each in listed}
    assert len(custody) == 6
    assert all(world.store.has(each) for each in custody)
    owner = retire(world)
    owner.erasing.finish(world.twin)
    assert not any(world.store.has(each) for each in custody)

"""Custody is shared anew onto another roster: what was written before is read with that, and the former one ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dtledger.client import Reshared
from dtledger.client.resharing_notes import Notes
from dtledger.custodian import MemoryTwinKeys
from dtledger.errors import AccessDeniedError, DtledgerError, InputError, UnreachableError
from dtledger.ledger import calls
from dtledger.readings import Reading
from dtledger.snapshots.staging import Staging
from dtledger.testing import Fault, MemoryLedger, World
from dtledger.types import Address
from tests.attacks.forging import Scribe, lie

DAY = 86_400


@pytest.fixture
def world() -> Iterator[World]:
    """Five custodians, of whom the first three are in the roster."""
    with World(hours=2, custodians=5) as world:
        world.patient.twins.set_up(world.twin, addresses(world, 0, 1, 2), 2)
        write(world)
        yield world


def addresses(world: World, *places: int) -> list[Address]:
    return [world.custodians[place].address for place in places]


def write(world: World, hours: int = 2) -> None:
    start = world.clock.at
    world.clock.advance(hours * 3600)
    some = [Reading(start + hour * 3600 + 1, 5.0 + hour, "mmol/L", 0, "") for hour in range(hours)]
    world.gateway.writer.put(world.twin, "glucose", some)


def reshare(world: World, *places: int, threshold: int | None = None, **how: Any) -> Reshared:
    return world.patient.resharing.reshare(world.twin, addresses(world, *places), threshold, **how)


def read(world: World) -> list[float]:
    readings = world.clinician.read(world.twin, "glucose", "TREAT")
    assert readings.snapshots == len(list(world.patient.snapshots.periods(world.twin, "glucose")))
    return [each.value for each in readings]


def let_die(world: World, *places: int) -> None:
    for place in places:
        world.custodians[place].fault = Fault.DEAD


def test_what_was_written_before_is_read_with_the_new_roster_alone(world: World) -> None:
    before, batches = read(world), world.ledger.view().batches(world.gateway.address)
    done = reshare(world, 2, 3, 4)
    assert (done.snapshots, done.left, len(done.receipts)) == (4, {}, 1)
    let_die(world, 0, 1)
    assert read(world) == before
    assert world.ledger.view().batches(world.gateway.address) == batches, "no anchored byte was touched"
    assert [each.error for each in world.patient.snapshots.verify(world.twin)] == [None]
    write(world)
    assert len(read(world)) == len(before) + 2


def test_without_it_too_few_of_the_former_roster_open_what_was_written_before(world: World) -> None:
    let_die(world, 0, 1, 2)
    with pytest.raises(UnreachableError):
        read(world)


def test_shared_anew_again_it_is_read_with_the_newest(world: World) -> None:
    before = read(world)
    reshare(world, 2, 3, 4)
    write(world)
    assert reshare(world, 0, 3, threshold=1).snapshots == 6
    let_die(world, 1, 2, 4, 0)
    assert read(world)[: len(before)] == before


def test_a_custodian_that_lost_its_pair_comes_back_with_another(world: World) -> None:
    lost = world.custodians[0]
    lost._twin_keys = MemoryTwinKeys()
    plan = world.patient.resharing.plan(world.twin)
    assert (plan.new, plan.snapshots, plan.total) == (True, 4, 4)
    before = read(world)
    version = world.patient.twins.roster(world.twin).version
    assert world.patient.resharing.reshare(world.twin).roster.version == version + 1
    let_die(world, 1)
    assert read(world) == before


def test_where_nothing_changed_nothing_is_done(world: World) -> None:
    reshare(world, 2, 3, 4)
    assert world.patient.resharing.plan(world.twin).snapshots == 0
    cards = world.ledger.view().cards(world.twin)
    done = world.patient.resharing.reshare(world.twin)
    assert (done.snapshots, done.receipts) == (0, [])
    assert world.ledger.view().cards(world.twin) == cards


def test_a_roster_set_by_a_card_of_its_own_is_reached_by_the_next(world: World) -> None:
    """The index of before serves until then."""
    before = read(world)
    reshare(world, 2, 3, 4)
    world.patient.twins.set_up(world.twin, addresses(world, 0, 1), 2)
    assert read(world) == before
    assert world.patient.resharing.custody.is_behind(world.twin)
    assert world.patient.resharing.reshare(world.twin).snapshots == 4
    assert not world.patient.resharing.custody.is_behind(world.twin)
    let_die(world, 2, 3, 4)
    assert read(world) == before


def test_what_is_written_meanwhile_is_shared_too(world: World) -> None:
    written: list[bool] = []

    def progress(done: int, total: int) -> None:
        if not written:
            written.append(True)
            write(world)

    assert reshare(world, 2, 3, 4, progress=progress).snapshots == 6
    let_die(world, 0, 1)
    read(world)


def test_a_former_writers_and_an_owners_own_snapshots_are_shared_too(world: World) -> None:
    world.patient.writer.put(world.twin, "meals", [Reading(world.clock.at - 60, 30.0, "g", 0, "")])
    world.patient.consents.revoke_all(world.twin)
    assert reshare(world, 2, 3, 4).snapshots == 5
    let_die(world, 0, 1)
    assert len(world.patient.read(world.twin, "glucose", "PATRQT")) == 26
    assert len(world.patient.read(world.twin, "meals", "PATRQT")) == 1


def test_what_does_not_open_is_left_and_told_and_hides_nothing_else(world: World) -> None:
    scribe = Scribe(world)
    bad, _ = scribe.write(lie("sealed", lambda cells: [*cells[:-1], bytes(32)], (0, 1)))
    done = reshare(world, 2, 3, 4)
    assert done.left == {}, "two of three shares are good"
    assert done.snapshots == 6
    worse = Scribe(world, "worse")
    broken, _ = worse.write(lie("manifest", lambda body: body | {"commitment": bytes(32)}, 0))
    done = reshare(world, 0, 1, 2)
    assert done.snapshots == 7
    [(digest, fault)] = done.left.items()
    assert (digest, fault.party) == (broken.digest.hex(), worse.address)  # type: ignore[attr-defined]
    assert bad.digest != broken.digest


def test_nobody_but_the_owner_shares_anew(world: World) -> None:
    with pytest.raises(AccessDeniedError):
        world.clinician.resharing.reshare(world.twin)


def test_a_custodian_that_is_gone_is_told(world: World) -> None:
    assert world.patient.resharing.custody.gone(world.twin) == []
    world.ledger.send(calls.suspend(world.custodians[1].address), world.operator.context.key)
    assert world.patient.resharing.custody.gone(world.twin) == addresses(world, 1)


class TestDies:
    """In the midst, at whatever it was about to do."""

    @pytest.fixture
    def steps(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Counts down; at nought it dies."""
        left = [10**9]

        def dying(does: Any) -> Any:
            def step(*arguments: Any, **how: Any) -> Any:
                left[0] -= 1
                if left[0] <= 0:
                    raise KeyboardInterrupt
                return does(*arguments, **how)

            return step

        monkeypatch.setattr(Staging, "flush", dying(Staging.flush))
        monkeypatch.setattr(Notes, "keep", dying(Notes.keep))
        monkeypatch.setattr(Notes, "forget", dying(Notes.forget))
        monkeypatch.setattr(MemoryLedger, "send", dying(MemoryLedger.send))
        monkeypatch.setattr("dtledger.snapshots.finder.PAGES_AT_ONCE", 1)
        return left

    @pytest.mark.slow
    def test_it_goes_on_where_it_died(self, steps: list[int]) -> None:
        deaths = 0
        with World(hours=66, custodians=3) as world:
            before = read(world)
            for at in range(1, 10):
                steps[0] = at
                try:
                    world.patient.resharing.reshare(world.twin, addresses(world, 0, 1), 1)
                except KeyboardInterrupt:
                    deaths += 1
                steps[0] = 10**9
                assert read(world) == before
            done = world.patient.resharing.reshare(world.twin, addresses(world, 0, 1), 1)
            assert done.snapshots == 0, "all was shared before"
            first = next(world.patient.snapshots.list(world.twin, "glucose"))[0].found.digest
            mine = [each for each in world.custodians[0].log.entries if each.receipt.requester == world.patient.address]
            assert sum(first in each.digests for each in mine) == 3, "it was noted before the third death"
            let_die(world, 0, 2)
            assert read(world) == before
        assert deaths > 3


class TestRetired:
    def test_former_pairs_end_a_day_later_and_the_custodians_sign_so(self, world: World) -> None:
        before = read(world)
        reshare(world, 2, 3, 4)
        with pytest.raises(InputError, match="less than a day"):
            world.patient.resharing.retire(world.twin)
        world.clock.advance(DAY)
        said = world.patient.resharing.retire(world.twin)
        assert set(said) == set(addresses(world, 0, 1))
        assert not any(isinstance(each, DtledgerError) for each in said.values())
        assert world.custodians[0]._twin_keys.all_of(world.twin) == []
        assert len(world.custodians[2]._twin_keys.all_of(world.twin)) == 1
        assert [each.value for each in world.patient.read(world.twin, "glucose", "PATRQT")] == before

    def test_nothing_ends_that_a_snapshot_needs(self, world: World) -> None:
        world.patient.twins.set_up(world.twin, addresses(world, 2, 3, 4), 2)
        world.clock.advance(DAY)
        with pytest.raises(InputError, match="would be lost"):
            world.patient.resharing.retire(world.twin)

    def test_a_custodian_that_does_not_answer_is_told_and_stops_nobody(self, world: World) -> None:
        reshare(world, 2, 3, 4)
        world.clock.advance(DAY)
        let_die(world, 0)
        said = world.patient.resharing.retire(world.twin)
        assert isinstance(said[addresses(world, 0)[0]], UnreachableError)
        assert not isinstance(said[addresses(world, 1)[0]], DtledgerError)

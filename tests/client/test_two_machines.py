"""One key on two machines: each number is given once, nothing that was put is lost, and what does not count is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dtledger.client import Client, PutResult, writing_terms
from dtledger.client.anchoring import Anchoring
from dtledger.client.keyrings import owner_keys
from dtledger.crypto import merkle
from dtledger.encoding import CID
from dtledger.readings import Reading
from dtledger.snapshots import index
from dtledger.snapshots.leaf import Leaf
from dtledger.snapshots.lines import rows_from
from dtledger.testing import MemoryKey, World
from dtledger.types import Digest


class Died(BaseException):
    """A machine that stops where it stands."""


def machine(world: World) -> Client:
    """Another machine with the gateway's key: it has a journal of its own."""
    return world.client(world.gateway.context.key)


def fresh(world: World, hours: int) -> list[Reading]:
    """Readings that nobody wrote yet, one an hour."""
    start = world.clock.at
    world.clock.advance(hours * 3600)
    return [Reading(start + hour * 3600 + 1, start % 1000 / 10 + hour, "mmol/L", 0, "") for hour in range(hours)]


@contextmanager
def meanwhile(client: Client, at: int, happens: Any, after: Any = None) -> Iterator[None]:
    """Before the machine's anchor number `at` something happens, and something else after it."""
    anchoring, count = client.writer._anchoring, iter(range(100))

    def anchor(pending: Any) -> Any:
        here = next(count) == at
        if here:
            happens()
        receipt = Anchoring._anchor(anchoring, pending)
        if here and after:
            after()
        return receipt

    anchoring._anchor = anchor  # type: ignore[method-assign]
    try:
        yield
    finally:
        del anchoring._anchor  # type: ignore[method-assign]


def die() -> None:
    raise Died


def put(world: World, client: Client, readings: Sequence[Reading], batch: int = 96) -> PutResult:
    return client.writer.put(world.twin, "glucose", readings, batch=batch)


def first_anchored(world: World) -> tuple[dict[int, Digest], dict[Digest, int]]:
    """By number what counts, and by digest the numbers of what does not: every row of every index is looked at."""
    gateway = world.gateway.address
    keys = owner_keys(world.patient.context.key.secrets.twin(world.ledger.deployment.id, world.twin))
    label = keys.label("glucose", gateway)
    counts: dict[int, Digest] = {}
    doubled: dict[Digest, int] = {}
    for batch in world.ledger.view().batches(gateway):
        stream = index.find(world.store, CID(batch.index), label)
        for number, row in rows_from(world.store, stream, 0) if stream else ():
            digest = row.manifest.digest
            leaf = Leaf(row.place, world.twin, gateway, label, number, digest, row.previous)
            if merkle.root_of(leaf.hash, row.proof) != batch.root:
                continue
            if number in counts:
                doubled[digest] = number
            else:
                counts[number] = digest
    return counts, doubled


def assert_first_anchored_counts(world: World) -> None:
    """In a list, and in the check of the stream, which tells all the others."""
    counts, doubled = first_anchored(world)
    listed = [each.found for group in world.patient.snapshots.list(world.twin, "glucose") for each in group]
    assert [each.digest for each in listed] == [counts[number] for number in sorted(counts)]
    assert sorted(counts) == list(range(len(counts)))
    (report,) = world.patient.snapshots.verify(world.twin, "glucose")
    assert report.error is None
    assert {each.digest: each.number for each in report.doubled} == doubled
    assert all(each.counted == counts[each.number] for each in report.doubled)


def values(world: World) -> list[tuple[int, float]]:
    readings = world.patient.read(world.twin, "glucose", "PATRQT")
    return [(int(each.at.timestamp()), each.value) for each in readings]


def said(readings: Sequence[Reading]) -> list[tuple[int, float]]:
    return [(each.seconds, each.value) for each in readings]


@pytest.fixture
def world() -> Iterator[World]:
    with World(hours=1) as world:
        yield world


class TestOneAfterTheOther:
    def test_each_follows_what_the_other_anchored_and_nothing_is_doubled(self, world: World) -> None:
        other, all_of_it = machine(world), list(world.readings)
        for client in (other, world.gateway, other, other, world.gateway):
            some = fresh(world, 2)
            assert put(world, client, some).doubled == 0
            all_of_it += some
        assert values(world) == said(all_of_it)
        assert first_anchored(world)[1] == {}
        assert_first_anchored_counts(world)


class TestAtOnce:
    def test_what_comes_second_is_written_again_and_the_result_says_so(self, world: World) -> None:
        other = machine(world)
        ours, theirs = fresh(world, 3), fresh(world, 2)
        with meanwhile(world.gateway, 0, lambda: put(world, other, theirs)):
            result = put(world, world.gateway, ours)
        assert (result.doubled, result.readings, len(result.written), len(result.anchors)) == (2, 3, 3, 2)
        assert [each.sequence for each in result.written] == [3, 4, 5]
        assert values(world) == said([*world.readings, *ours, *theirs])
        assert_first_anchored_counts(world)
        read = world.patient.read(world.twin, "glucose", "PATRQT")
        assert read.faults == {}
        assert [each.number for each in read.doubled] == [2], "what the third follows"

    def test_put_again_everything_is_known(self, world: World) -> None:
        other, ours = machine(world), fresh(world, 3)
        with meanwhile(world.gateway, 0, lambda: put(world, other, fresh(world, 2))):
            put(world, world.gateway, ours)
        again = put(world, world.gateway, ours)
        assert (again.known, again.readings, again.doubled) == (3, 0, 0)

    def test_in_two_streams_nothing_is_doubled_and_nothing_is_missing(self, world: World) -> None:
        """The index of the slower one does not have the other's stream; a reader finds it beside."""
        terms = writing_terms(["meals"], world.clock.at, 86_400, back_to=world.readings[0].minute)
        world.patient.consents.grant(world.twin, world.gateway.address, terms)
        other, meal = machine(world), [Reading(world.clock.at, 30.0, "g", 0, "")]
        ours = fresh(world, 1)
        with meanwhile(world.gateway, 0, lambda: other.writer.put(world.twin, "meals", meal)):
            assert put(world, world.gateway, ours).doubled == 0
        for _ in range(2):
            assert values(world) == said([*world.readings, *ours])
            assert [each.value for each in world.patient.read(world.twin, "meals", "PATRQT")] == [30.0]
            assert not any(each.error or each.doubled for each in world.patient.snapshots.verify(world.twin))
            stranger = world.client(MemoryKey("stranger"))
            assert len(list(stranger.snapshots.verify(world.twin))) == 2
            ours += fresh(world, 1)
            put(world, other, ours[-1:])

    def test_before_it_is_mended_a_read_tells_what_does_not_count(self, world: World) -> None:
        other, ours, theirs = machine(world), fresh(world, 2), fresh(world, 1)
        with meanwhile(world.gateway, 0, lambda: put(world, other, theirs), die), suppress(Died):
            put(world, world.gateway, ours)
        read = world.patient.read(world.twin, "glucose", "PATRQT")
        assert said([*world.readings, ours[1], theirs[0]]) == values(world)
        (doubled,) = read.doubled
        assert doubled.number == 1
        assert doubled.counted_in.block < doubled.batch.block
        assert_first_anchored_counts(world)
        with pytest.raises(Exception, match="no anchored index"):
            world.patient.snapshots.show(doubled.digest)
        assert world.patient.snapshots.show(doubled.counted).found.counts

    def test_dead_after_its_anchor_a_machine_writes_again_what_does_not_count(self, world: World) -> None:
        other, ours, theirs = machine(world), fresh(world, 2), fresh(world, 1)
        with meanwhile(world.gateway, 0, lambda: put(world, other, theirs), die), suppress(Died):
            put(world, world.gateway, ours)
        result = put(world, world.gateway, ours)
        assert (result.resumed, result.doubled, result.known, result.readings) == (1, 1, 1, 1)
        assert values(world) == said([*world.readings, *ours, *theirs])
        assert_first_anchored_counts(world)

    def test_the_newest_minute_is_that_of_what_counts(self, world: World) -> None:
        other = machine(world)
        theirs, ours = fresh(world, 1), fresh(world, 1)
        with meanwhile(world.gateway, 0, lambda: put(world, other, theirs), die), suppress(Died):
            put(world, world.gateway, ours)
        assert world.patient.snapshots.newest(world.twin)["glucose"] == theirs[-1].minute


class Machines(RuleBasedStateMachine):
    """Three machines with one key put, race, die before and after their anchors, and come back."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(hours=1, custodians=1, threshold=1)
        self.machines = [self.world.gateway, machine(self.world), machine(self.world)]
        self.done = list(self.world.readings)
        self.begun: list[list[Reading]] = [[], [], []]
        self.changed = True

    def teardown(self) -> None:
        for who in range(3):
            self._put(who, [], 96)
        assert values(self.world) == sorted(said(self.done))
        assert_first_anchored_counts(self.world)
        self.world.close()

    @rule(
        who=st.integers(0, 2),
        hours=st.integers(1, 4),
        batch=st.integers(1, 4),
        racers=st.lists(st.integers(1, 2), max_size=3),
        at=st.integers(0, 2),
        dies=st.sampled_from(["", "", "before", "after"]),
    )
    def puts(self, who: int, hours: int, batch: int, racers: list[int], at: int, dies: str) -> None:
        def race() -> None:
            for other in racers:
                self._put((who + other) % 3, fresh(self.world, other), batch)
            if dies == "before":
                die()

        readings = fresh(self.world, hours)
        with meanwhile(self.machines[who], at, race, die if dies == "after" else None):
            self._put(who, readings, batch)

    def _put(self, who: int, readings: list[Reading], batch: int) -> None:
        """What a machine had begun when it died comes again, before anything else."""
        self.changed = True
        self.begun[who] += readings
        with suppress(Died):
            put(self.world, self.machines[who], self.begun[who], batch)
            self.done += self.begun[who]
            self.begun[who] = []

    @invariant()
    def what_was_anchored_first_counts_and_what_was_put_is_there(self) -> None:
        if not self.changed:
            return
        self.changed = False
        assert_first_anchored_counts(self.world)
        there = set(values(self.world))
        assert set(said(self.done)) <= there
        assert there <= set(said(self.done)) | {each for some in self.begun for each in said(some)}


TestMachines = pytest.mark.slow(Machines.TestCase)
TestMachines.settings = settings(max_examples=15, stateful_step_count=8, deadline=None)

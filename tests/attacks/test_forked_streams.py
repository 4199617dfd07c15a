"""A gateway that forks its stream to put something else in the place of what it anchored.

The first anchored counts, whatever comes later under its number: a plain read gives it, and tells the other.
"""

from __future__ import annotations

import pytest

from dtledger.readings import Group, Reading
from dtledger.testing import World
from dtledger.types import ZERO_DIGEST, Digest

from .forging import HONEST, Change, Forged, Scribe, all_of, lie, put
from .looking import assert_refused, errors, forged, read

pytestmark = pytest.mark.slow  # each in a world of its own

OTHER = Digest(b"\7" * 32)
FALSE = 1.0


def another(scribe: Scribe, place: int) -> list[Group]:
    """The hour of one of the scribe's own groups, with another value."""
    group = scribe.groups()[place]
    false = [Reading(each.seconds, FALSE, each.unit, each.offset, each.quality) for each in group.readings]
    return [Group(group.period, tuple(false))]


def goes_on_from(before: Digest) -> Change:
    return lie("index", put(before=before))


def rewrite(scribe: Scribe, kept: int, before: Digest) -> list[Forged]:
    """Forget all but the first `kept` snapshots, and write another one in the place of the next."""
    del scribe.written[kept:], scribe.rows[kept:]
    return scribe.write(goes_on_from(before), another(scribe, kept))


@pytest.mark.parametrize("before", [ZERO_DIGEST, OTHER], ids=["the beginning", "nothing there is"])
@pytest.mark.parametrize("kept", [0, 1])
def test_what_was_anchored_first_stays_and_the_other_is_told(before: Digest, kept: int, world: World) -> None:
    scribe = Scribe(world)
    first = scribe.write()
    [second] = rewrite(scribe, kept, before)
    seen = read(world)
    assert forged(seen) == HONEST
    [doubled] = seen.doubled
    assert (doubled.writer, doubled.number, doubled.digest) == (scribe.address, kept, second.digest)
    assert doubled.counted == first[kept].digest
    assert errors(world) == [], "both are told, and nothing was lost"
    told = [each for report in world.patient.snapshots.verify(world.twin) for each in report.doubled]
    assert [each.digest for each in told] == [second.digest]


def test_what_is_written_under_the_next_number_is_no_fork(world: World) -> None:
    scribe = Scribe(world)
    scribe.write()
    scribe.write(groups=another(scribe, 0))
    seen = read(world)
    assert FALSE in forged(seen)
    assert seen.doubled == ()


def test_a_line_that_runs_on_replaces_no_more(world: World) -> None:
    """What follows the one that does not count has new numbers: it counts, and its stream is not broken."""
    scribe = Scribe(world)
    scribe.write()
    [second] = rewrite(scribe, 1, ZERO_DIGEST)
    scribe.write(goes_on_from(ZERO_DIGEST), another(scribe, 0))
    seen = read(world)
    assert sorted(forged(seen)) == sorted([*HONEST, FALSE, FALSE])
    assert [each.digest for each in seen.doubled] == [second.digest]
    assert errors(world) == []


def test_an_index_that_lies_about_what_it_goes_on_from_is_found_by_the_check_of_the_stream(world: World) -> None:
    """A plain read believes it: only a comparison with the ones before shows what it lost."""
    scribe = Scribe(world)
    scribe.write()
    rewrite(scribe, 1, ZERO_DIGEST)
    scribe.write(groups=another(scribe, 0))
    assert read(world).doubled == ()
    [error] = errors(world)
    assert "an earlier one" in error.message
    assert error.party == scribe.address


def test_lines_beside_lines_are_all_followed(world: World) -> None:
    """Each forks anew from the beginning: only the numbers that are new count."""
    scribe = Scribe(world)
    scribe.write()
    for _ in range(3):
        del scribe.written[:], scribe.rows[:]
        scribe.write(goes_on_from(ZERO_DIGEST), [*another(scribe, 0), *another(scribe, 1)])
    seen = read(world)
    assert forged(seen) == HONEST
    assert sorted(each.number for each in seen.doubled) == [0, 0, 0, 1, 1, 1]
    assert errors(world) == []


def test_a_snapshot_put_before_one_that_was_anchored_earlier_is_refused(world: World) -> None:
    """The index says that it goes on from all, and has another first snapshot: the second follows the one before."""
    scribe = Scribe(world)
    scribe.write()
    second = scribe.rows[1]
    del scribe.written[:], scribe.rows[:]
    scribe.write(lie("rows", lambda rows: [*rows, second]), another(scribe, 0))
    assert_refused(world, scribe, "does not follow")


def test_a_snapshot_that_follows_what_no_index_has_is_refused(world: World) -> None:
    """On the line of its own batch as everywhere."""
    scribe = Scribe(world)
    scribe.write()
    scribe.write(
        all_of(goes_on_from(ZERO_DIGEST), lie("fields", lambda fields: fields | {"leaf": OTHER, "previous": OTHER})),
        scribe.groups(1),
    )
    assert_refused(world, scribe, "does not follow")


def test_an_index_that_does_not_say_what_it_goes_on_from_is_refused(world: World) -> None:
    scribe = Scribe(world)
    scribe.write(lie("index", lambda index: {"streams": index["streams"]}))
    assert_refused(world, scribe, "which batches it goes on from")

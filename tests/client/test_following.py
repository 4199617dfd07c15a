"""Following a twin: each new snapshot once, to whoever holds a live grant, and none after it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dtledger.client import Client, Reader, Readings, Refresh
from dtledger.errors import AccessDeniedError, InputError, UnreachableError
from dtledger.readings import Reading
from dtledger.testing import World
from dtledger.testing.world import DAY, glucose
from dtledger.types import Period
from dtledger.vocabulary import Reason


@pytest.fixture
def world() -> Iterator[World]:
    with World(hours=2) as world:
        yield world


class Follower:
    """Follows the world's twin; what the test wants to happen next happens while it waits for the next look."""

    def __init__(self, world: World, who: Client | None = None, cursor: str | None = None) -> None:
        self.happens: list[Callable[[], object]] = []
        self.looks = 0
        client = who or world.clinician
        self._refreshes = client.follow(world.twin, "glucose", "TREAT", cursor=cursor, pause=self._pause)

    def _pause(self, _: float) -> None:
        self.looks += 1
        if not self.happens:
            raise _NothingMore
        self.happens.pop(0)()

    def refreshes(self, *happens: Callable[[], object]) -> list[Refresh]:
        """What it is given while these things happen one after another."""
        self.happens = list(happens)
        given = []
        with pytest.raises(_NothingMore):
            given.extend(self._refreshes)
        return given


class _NothingMore(Exception):
    pass


def put(world: World, hours: int = 1) -> Callable[[], tuple[Reading, ...]]:
    """The gateway writes what was measured in the hours that pass."""

    def happen() -> tuple[Reading, ...]:
        start = world.clock.at // 3600 * 3600
        world.clock.advance(hours * 3600)
        readings = glucose(start, hours * 12)
        world.gateway.writer.put(world.twin, "glucose", readings)
        return readings

    return happen


def times(refreshes: list[Refresh]) -> list[int]:
    return [int(each.at.timestamp()) for refresh in refreshes for each in refresh.readings]


def test_each_new_snapshot_is_given_once_and_what_was_there_before_is_not(world: World) -> None:
    before = {each.seconds for each in world.readings}
    given = Follower(world).refreshes(put(world), lambda: None, put(world, 3), lambda: None)
    assert [len({each.snapshot for each in refresh.readings}) for refresh in given] == [1, 3]
    assert len(times(given)) == len(set(times(given))) == 48
    assert not before & set(times(given))


def test_it_goes_on_from_a_cursor_without_a_gap_and_without_a_snapshot_twice(world: World) -> None:
    first = Follower(world).refreshes(put(world))
    put(world, 2)()
    second = Follower(world, cursor=first[-1].cursor).refreshes(put(world))
    assert len(times(first + second)) == len(set(times(first + second))) == 48
    with pytest.raises(_NothingMore):
        next(Follower(world, cursor=second[-1].cursor)._refreshes)


def test_what_is_there_already_is_given_first_if_it_is_asked_for(world: World) -> None:
    follower = Follower(world)
    follower._refreshes = world.clinician.follow(
        world.twin, "glucose", "TREAT", since="1h", unit="mg/dL", pause=follower._pause
    )
    given = follower.refreshes(put(world))
    assert len(given) == 2
    assert len(times(given)) == len(set(times(given)))
    assert {each.unit for refresh in given for each in refresh.readings} == {"mg/dL"}


def test_revocation_ends_it_before_anything_newer_is_given(world: World) -> None:
    follower = Follower(world)
    follower.happens = [put(world), lambda: (world.patient.consents.revoke(world.consent), put(world)())]
    given = [next(follower._refreshes)]
    with pytest.raises(AccessDeniedError) as refused:
        given.extend(follower._refreshes)
    assert refused.value.reason is Reason.REVOKED
    assert len(given) == 1


def test_consent_is_asked_for_also_while_nothing_is_new(world: World) -> None:
    follower = Follower(world)
    follower.happens = [lambda: None, lambda: world.clock.advance(31 * DAY)]
    with pytest.raises(AccessDeniedError) as refused:
        next(follower._refreshes)
    assert refused.value.reason is Reason.EXPIRED


def test_a_stranger_is_refused_at_once(world: World) -> None:
    stranger = world.join("stranger")
    with pytest.raises(AccessDeniedError):
        next(stranger.follow(world.twin, "glucose", "TREAT"))


def test_what_the_grant_does_not_cover_is_left_out_and_the_rest_goes_on(world: World) -> None:
    old = glucose(world.readings[0].seconds - 10 * 3600, 12)  # from before the data that the clinician may read

    def write_old() -> None:
        terms = world.patient.consents.terms_of(world.patient.consents.records(world.twin)[0])
        assert terms.actions
        world.patient.writer.put(world.twin, "glucose", old)

    given = Follower(world).refreshes(write_old, put(world))
    assert len(times(given)) == 12
    assert not {each.seconds for each in old} & set(times(given))


def test_a_correction_of_what_was_given_comes_as_what_is_new(world: World) -> None:
    follower = Follower(world)
    given = follower.refreshes(put(world))
    snapshot = given[0].readings[0].snapshot
    wrong = given[0].readings[0]

    def amend() -> None:
        right = Reading(int(wrong.at.timestamp()), 9.9, "mmol/L", 0)
        world.clock.advance(60)
        world.gateway.writer.amend(bytes.fromhex(snapshot), [right], "typed wrong", replaces=[right.seconds])

    (corrected,) = Follower(world, cursor=given[-1].cursor).refreshes(amend)
    assert [(each.value, each.corrected) for each in corrected.readings] == [(9.9, True)]
    assert [each.corrects for each in corrected.readings.amendments.values()] == [snapshot]


def test_a_ledger_that_does_not_answer_is_told_and_the_cursor_goes_on_later(world: World) -> None:
    follower = Follower(world)
    follower.happens = [put(world), lambda: setattr(world.ledger, "unreachable", True)]
    first = next(follower._refreshes)
    with pytest.raises(UnreachableError):
        next(follower._refreshes)
    world.ledger.unreachable = False
    assert len(times(Follower(world, cursor=first.cursor).refreshes(put(world)))) == 12


@pytest.mark.parametrize("cursor", ["", "no cursor", "e30=", "gYFAAQ==", "ö"])
def test_what_is_no_cursor_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(InputError, match="no cursor"):
        next(world.clinician.follow(world.twin, "glucose", "TREAT", cursor=cursor))


def test_what_waits_for_a_package_is_not_passed_by_and_nothing_is_given_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Reader.read
    waiting = [True]

    def some(self: Reader, *arguments: Any, **named: Any) -> Readings:
        """As while the owner's `rekey` is under way: the later of two snapshots has no package yet."""
        found = read(self, *arguments, **named)
        if not waiting or len({each.snapshot for each in found}) < 2:
            return found
        late = found[-1].snapshot
        part = found.of_snapshots({each.snapshot for each in found} - {late})
        part.refused = ((Period(0, 0), Reason.CATEGORY),)
        return part

    monkeypatch.setattr(Reader, "read", some)
    given = Follower(world).refreshes(put(world, 2), lambda: None, waiting.clear, lambda: None)
    assert len(times(given)) == len(set(times(given))) == 24
    assert given[0].cursor != given[-1].cursor

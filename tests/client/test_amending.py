"""`Writer.amend`: a correction names what it corrects and why; reads show what stands, and both if asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from dtledger.client import Client, Listed, PutResult, Readings, Terms, TwinReading
from dtledger.errors import AccessDeniedError, InputError
from dtledger.readings import LONGEST_REASON, Reading
from dtledger.testing import MemoryKey, World
from dtledger.types import Digest, Period
from dtledger.vocabulary import Action, Kind, Purpose, Reason

pytestmark = pytest.mark.slow

DAY = 86_400
REASON = "the sensor was pressed upon"


@pytest.fixture
def world() -> Iterator[World]:
    with World(hours=2) as world:
        yield world


def read(world: World, **how: Any) -> Readings:
    return world.clinician.read(world.twin, "glucose", "TREAT", **how)


def listed(world: World) -> list[Listed]:
    return [each for group in world.patient.snapshots.list(world.twin, "glucose") for each in group]


def first(world: World) -> Digest:
    """The snapshot of the first hour."""
    return listed(world)[0].found.digest


def amend(world: World, who: Client, place: int, value: float | None, digest: Digest | None = None) -> PutResult:
    """Correct the value of the first hour that stands at `place`, or withdraw it."""
    old = world.readings[place]
    new = [] if value is None else [replace(old, value=value)]
    return who.writer.amend(digest or first(world), new, REASON, replaces=[old.seconds])


def written(result: PutResult) -> Digest:
    (one,) = result.written
    return one.manifest.digest


def said(readings: Readings) -> list[float]:
    return [each.value for each in readings]


def original(world: World) -> list[float]:
    return [each.value for each in world.readings]


# what a read shows -----------------------------------------------------------------------------------------------


def test_a_read_shows_the_corrected_value_marks_it_and_says_by_whom_and_why(world: World) -> None:
    amendment = written(amend(world, world.gateway, 3, 5.5))
    readings = read(world)
    assert said(readings) == [*original(world)[:3], 5.5, *original(world)[4:]]
    assert [each.corrected for each in readings] == [place == 3 for place in range(24)]
    assert readings[3].snapshot == amendment.hex()
    told = readings.amendments[readings[3].snapshot]
    assert (told.corrects, told.writer, told.reason) == (first(world).hex(), world.gateway.address, REASON)
    assert (readings.superseded, readings.uncounted, dict(readings.faults)) == (1, 0, {})


def test_with_the_originals_both_are_shown_each_saying_which_it_is(world: World) -> None:
    amendment = written(amend(world, world.gateway, 3, 5.5))
    both = read(world, originals=True)
    assert len(both) == len(world.readings) + 1
    (old,) = [each for each in both if each.superseded_by]
    assert (old.value, old.superseded_by, old.corrected) == (world.readings[3].value, amendment.hex(), False)
    assert old.snapshot == first(world).hex()
    (new,) = [each for each in both if each.corrected]
    assert (new.value, new.at, new.superseded_by) == (5.5, old.at, "")
    assert list(both.amendments) == [amendment.hex()]


def test_a_withdrawn_value_is_gone_from_what_stands_and_counted(world: World) -> None:
    amend(world, world.gateway, 3, None)
    readings = read(world)
    assert said(readings) == [*original(world)[:3], *original(world)[4:]]
    assert (readings.superseded, len(readings.amendments)) == (1, 1)
    assert len(read(world, originals=True)) == len(world.readings)


def test_a_snapshot_is_replaced_whole_and_what_the_correction_repeats_stands_as_it_was(world: World) -> None:
    hour = list(world.readings[:12])
    hour[0] = replace(hour[0], value=5.5)
    del hour[5]
    world.gateway.writer.amend(first(world), hour, REASON)
    readings = read(world)
    assert said(readings) == [5.5, *original(world)[1:5], *original(world)[6:]]
    assert [place for place, each in enumerate(readings) if each.corrected] == [0]
    assert {each.snapshot for each in readings[1:11]} == {first(world).hex()}
    assert readings.superseded == 2


def test_a_time_is_corrected_within_the_snapshot_s_period(world: World) -> None:
    old = world.readings[3]
    moved = replace(old, seconds=old.seconds + 60)
    world.gateway.writer.amend(first(world), [moved], REASON, replaces=[old.seconds])
    assert [int(each.at.timestamp()) for each in read(world)][3] == old.seconds + 60


def test_the_same_instant_in_another_zone_corrects_nothing(world: World) -> None:
    old = world.readings[3]
    world.gateway.writer.amend(first(world), [replace(old, offset=60)], REASON, replaces=[old.seconds])
    readings = read(world)
    assert (said(readings), readings.superseded, readings.amendments) == (original(world), 0, {})


def test_values_are_converted_whether_they_stand_or_not(world: World) -> None:
    old = world.readings[3]
    corrected = [replace(old, value=90.091, unit="mg/dL")]
    world.gateway.writer.amend(first(world), corrected, REASON, replaces=[old.seconds])
    both = read(world, unit="mmol/L", originals=True)
    assert [round(each.value, 1) for each in both if each.at == both[3].at] == [5.0, old.value]


def test_an_amendment_that_changes_nothing_of_what_was_asked_for_is_not_told(world: World) -> None:
    amend(world, world.gateway, 3, 5.5)
    later = read(world, since=world.readings[4].seconds)
    assert (said(later), later.superseded, later.amendments) == (original(world)[4:], 0, {})
    one = read(world, since=world.readings[3].seconds, until=world.readings[3].seconds)
    assert (said(one), one.superseded) == ([5.5], 1)


def test_the_original_stays_listed_and_readable(world: World) -> None:
    before = listed(world)
    amendment = written(amend(world, world.gateway, 3, 5.5))
    after = listed(world)
    assert [each.found.digest for each in after] == [*(each.found.digest for each in before), amendment]
    assert [each.found.manifest.corrects for each in after] == [None, None, before[0].found.digest]
    assert after[2].found.manifest.period == before[0].found.manifest.period
    assert world.patient.snapshots.show(before[0].found.digest).found.counts
    assert world.patient.snapshots.amendments(after[0]) == [after[2]]
    assert world.patient.snapshots.amendments(after[1]) == []


def test_one_snapshot_is_read_alone_with_its_corrections(world: World) -> None:
    digest = first(world)
    late = replace(world.readings[3], seconds=world.readings[3].seconds + 1)
    world.gateway.writer.put(world.twin, "glucose", [late])
    amendment = written(amend(world, world.gateway, 3, 5.5))
    for named in (digest, amendment):
        alone = world.patient.reader.read(world.twin, "glucose", Purpose.PATRQT, snapshot=named)
        assert said(alone) == [*original(world)[:3], 5.5, *original(world)[4:12]]
    other = world.patient.reader.read(world.twin, "glucose", Purpose.PATRQT, snapshot=listed(world)[1].found.digest)
    assert (said(other), other.amendments) == (original(world)[12:], {})


def blocks_asked_for(world: World) -> int:
    """How often a read asks the store."""
    asked: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("get", "export"):
            real = getattr(world.store, name)
            patch.setattr(world.store, name, lambda cids, real=real, name=name: asked.append(name) or real(cids))
        assert read(world)
    return len(asked)


def test_a_read_asks_the_store_for_an_amendment_as_for_any_other_snapshot(world: World) -> None:
    amend(world, world.gateway, 3, 5.5)
    with World(hours=2) as other:
        added = replace(other.readings[3], seconds=other.readings[3].seconds + 1)
        other.gateway.writer.put(other.twin, "glucose", [added])
        assert blocks_asked_for(world) == blocks_asked_for(other)


# chains ----------------------------------------------------------------------------------------------------------


def test_a_correction_is_corrected_as_any_snapshot_is(world: World) -> None:
    one = written(amend(world, world.gateway, 3, 5.5))
    two = written(amend(world, world.patient, 3, 6.5, one))
    three = written(amend(world, world.gateway, 4, 4.5, two))
    readings = read(world)
    assert said(readings)[3:5] == [6.5, 4.5]
    assert [each.corrects for each in readings.amendments.values()] == [first(world).hex(), one.hex(), two.hex()]
    both = {each.snapshot: each for each in read(world, originals=True) if each.at == readings[3].at}
    assert {snapshot: (each.corrected, each.superseded_by) for snapshot, each in both.items()} == {
        first(world).hex(): (False, one.hex()),
        one.hex(): (True, two.hex()),
        two.hex(): (True, ""),
    }
    assert readings[4].snapshot == three.hex()


def test_two_corrections_of_one_snapshot_both_count_and_the_later_wins_where_they_meet(world: World) -> None:
    amend(world, world.gateway, 3, 5.5)
    amend(world, world.gateway, 4, 4.5)
    later = written(amend(world, world.patient, 3, 6.5))
    readings = read(world)
    assert said(readings)[3:5] == [6.5, 4.5]
    assert readings[3].snapshot == later.hex()
    assert len(read(world, originals=True)) == len(world.readings) + 3


def test_a_withdrawal_is_taken_back_by_a_correction_of_it(world: World) -> None:
    gone = written(amend(world, world.gateway, 3, None))
    assert len(read(world)) == 23
    amend(world, world.gateway, 3, world.readings[3].value, gone)
    assert said(read(world)) == original(world)


# who may ---------------------------------------------------------------------------------------------------------


def test_the_owner_and_whoever_holds_write_correct_each_other_s_snapshots(world: World) -> None:
    other = writer(world, "other", world.readings[0].minute)
    amend(world, other, 3, 5.5)
    readings = read(world)
    assert readings.amendments[readings[3].snapshot].writer == other.address
    amend(world, world.patient, 3, 6.5)
    readings = read(world)
    assert readings.amendments[readings[3].snapshot].writer == world.patient.address
    assert said(readings)[3] == 6.5


def test_without_write_for_the_category_and_the_whole_period_nobody_corrects(world: World) -> None:
    digest, start = first(world), world.readings[0].minute
    for who, reason in (
        (world.clinician, Reason.NO_GRANT),
        (writer(world, "later", start + 10), Reason.PERIOD),
        (writer(world, "meals", start, "meals"), Reason.CATEGORY),
        (world.client(MemoryKey("stranger")), Reason.CATEGORY),
    ):
        before = len(listed(world))
        for way in (who.writer.amend, who.writer.draft_amendment):
            with pytest.raises(AccessDeniedError) as refused:
                way(digest, [], REASON)
            assert refused.value.reason is reason
        assert len(listed(world)) == before
    assert written(amend(world, writer(world, "whole", start), 3, 5.5, digest))


def test_whose_grant_was_revoked_corrects_no_more(world: World) -> None:
    who = writer(world, "revoked", world.readings[0].minute)
    amend(world, who, 3, 5.5)
    world.patient.consents.revoke(world.patient.consents.slot(world.twin, who.address, 0))
    with pytest.raises(AccessDeniedError):
        amend(world, who, 3, 6.5)
    assert said(read(world))[3] == 5.5


def test_a_correction_is_of_its_snapshot_s_minutes(world: World) -> None:
    outside = replace(world.readings[12], value=5.5)
    for readings, replaces in (([outside], None), ([], [outside.seconds])):
        with pytest.raises(InputError, match="within the minutes"):
            world.gateway.writer.amend(first(world), readings, REASON, replaces=replaces)
    inside = replace(world.readings[0], value=5.5)
    assert world.gateway.writer.amend(first(world), [inside], REASON, replaces=[inside.seconds]).written


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "\x1b[2Jhidden", "x" * (LONGEST_REASON + 1)])
def test_a_correction_needs_a_reason_of_one_line(world: World, reason: str) -> None:
    with pytest.raises(InputError, match="reason"):
        world.gateway.writer.amend(first(world), [], reason)
    assert world.gateway.writer.amend(first(world), [], "x" * LONGEST_REASON).written


def test_a_correction_replaces_something(world: World) -> None:
    with pytest.raises(InputError, match="one or more"):
        world.gateway.writer.amend(first(world), [world.readings[0]], REASON, replaces=[])
    assert amend(world, world.gateway, 0, 5.5).written


# written once ----------------------------------------------------------------------------------------------------


def test_the_same_correction_is_written_once(world: World) -> None:
    amend(world, world.gateway, 3, 5.5)
    again = amend(world, world.gateway, 3, 5.5)
    assert (again.written, again.anchors, again.known) == ([], [], 1)
    assert amend(world, world.gateway, 3, 5.6).written


def test_a_corrected_file_that_is_put_adds_nothing_and_brings_nothing_back(world: World) -> None:
    amend(world, world.gateway, 3, 5.5)
    corrected = [replace(each, value=5.5) if place == 3 else each for place, each in enumerate(world.readings)]
    for readings in (corrected, world.readings):
        assert world.gateway.writer.put(world.twin, "glucose", readings).written == []
    assert said(read(world)) == [each.value for each in corrected]


# parts of an hour ------------------------------------------------------------------------------------------------


def test_who_may_read_a_part_of_the_hour_sees_the_corrections_of_that_part_alone(world: World) -> None:
    """One hour in two snapshots, the second of data that came later; the grant opens the second."""
    hour = (world.readings[-1].seconds // 3600 + 1) * 3600
    early, late = (
        [Reading(hour + minute * 60, 7.0, "mmol/L") for minute in minutes] for minutes in ((0, 10), (30, 40))
    )
    world.clock.advance(3600)
    for readings in (early, late):
        world.gateway.writer.put(world.twin, "glucose", readings)
    one, two = (each.found.digest for each in listed(world)[-2:])
    assert listed(world)[-1].found.manifest.period == Period(hour // 60 + 30, hour // 60 + 40)
    reader, now = world.join("reader", [Kind.CLINICIAN]), world.clock()
    data = Period(hour // 60 + 20, hour // 60 + 59)
    terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + DAY, data)
    world.patient.consents.grant(world.twin, reader.address, terms)
    for digest, at in ((one, early[0]), (two, late[0])):
        world.patient.writer.amend(digest, [replace(at, value=5.5)], REASON, replaces=[at.seconds])
    part = reader.read(world.twin, "glucose", "TREAT", since=hour + 1200)
    assert said(part) == [5.5, 7.0]
    assert [each.corrects for each in part.amendments.values()] == [two.hex()]
    whole = reader.read(world.twin, "glucose", "TREAT", since=hour, partial=True)
    assert said(whole) == [5.5, 7.0], "neither the original nor its correction is opened outside the grant"
    assert {reason for _, reason in whole.refused} == {Reason.PERIOD}
    assert said(world.patient.read(world.twin, "glucose", "PATRQT", since=hour)) == [5.5, 7.0, 5.5, 7.0]


def test_a_grant_that_cuts_a_snapshot_opens_neither_it_nor_its_correction(world: World) -> None:
    amend(world, world.patient, 3, 5.5)
    reader, now, start = world.join("reader", [Kind.CLINICIAN]), world.clock(), world.readings[2].minute
    terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + DAY, Period(start, now // 60))
    world.patient.consents.grant(world.twin, reader.address, terms)
    part = reader.read(world.twin, "glucose", "TREAT", partial=True)
    assert (said(part), part.amendments) == (original(world)[12:], {})


# late data -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "late"), [(0, False), (3, True)])
def test_new_readings_of_an_hour_that_was_written_come_in_a_snapshot_of_their_own(
    world: World, days: int, late: bool
) -> None:
    world.clock.advance(days * DAY)
    added = replace(world.readings[3], seconds=world.readings[3].seconds + 60)
    result = world.gateway.writer.put(world.twin, "glucose", [*world.readings, added])
    assert (result.known, result.readings, len(result.written)) == (24, 1, 1)
    own = listed(world)[-1].found
    assert (own.manifest.period, own.late) == (Period(added.minute, added.minute), late)
    assert own.manifest.corrects is None
    readings = read(world)
    assert [each.late for each in readings] == [late and place == 4 for place in range(25)]
    assert readings.superseded == 0


def marks(each: TwinReading) -> tuple[bool, bool]:
    return each.late, each.corrected


def test_a_correction_after_a_day_is_late_as_well(world: World) -> None:
    amend(world, world.gateway, 3, 5.5)
    assert marks(read(world)[3]) == (False, True)
    world.clock.advance(3 * DAY)
    amend(world, world.gateway, 4, 5.5)
    assert [marks(each) for each in read(world)[3:6]] == [(False, True), (True, True), (False, False)]


def writer(world: World, name: str, start: int, category: str = "glucose") -> Client:
    """A gateway that may write data from `start` on."""
    client, now = world.join(name, [Kind.GATEWAY]), world.clock()
    terms = Terms((category,), (), (Action.WRITE,), now, now + DAY, Period(start, now // 60 + 1440))
    world.patient.consents.grant(world.twin, client.address, terms)
    return client

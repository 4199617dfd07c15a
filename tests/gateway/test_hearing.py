"""A low alarms when it has come, as it will be judged when its hour is taken; and nothing of that look is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dtledger.gateway import hearing
from dtledger.gateway.queue import Measured
from dtledger.readings import FINGERSTICK, Reading
from tests.gateway.conftest import Site
from tests.gateway.living import HOUR, Living, let_forecast, living


@pytest.fixture
def alive(site: Site) -> Living:
    let_forecast(site)
    alive = living(site)
    alive.live()
    return alive


def rings(alive: Living) -> list[bool]:
    """Of each alarm from now on, whether it is unverified."""
    rung: list[bool] = []
    alive.twins.alarms.heard.append(rung.append)
    return rung


def comes(alive: Living, readings: Sequence[Reading]) -> None:
    """Readings as `Intake` and `Batches` take them: on the disk, then heard."""
    measured = [Measured(alive.world.twin, "glucose", each) for each in readings]
    alive.site.queue.put(measured)
    alive.twins.hear(measured)


def falling(alive: Living, *values: float) -> list[Reading]:
    """What a sensor says of this hour so far, the last of it those values."""
    start = alive.world.clock.at
    alive.world.clock.advance(1200)
    times = range(start + 300, start + 300 * (len(values) + 1), 300)
    return [Reading(at, value, "mg/dL", 60) for at, value in zip(times, values, strict=True)]


def known(alive: Living) -> bytes:
    book = alive.twins._book
    (found,) = book._tables.states([book.name(alive.world.twin)])
    return found.sealed


def away(_: object) -> None:
    raise ValueError("of a reading of 7.7777")


def test_a_low_alarms_when_it_has_come_and_once(alive: Living) -> None:
    before, rung = known(alive), rings(alive)
    said = falling(alive, 100.0, 82.0, 65.0)
    comes(alive, said)
    assert rung == [False]
    assert known(alive) == before, "nothing of the look is kept"
    comes(alive, said)
    alive.world.clock.advance(HOUR)
    assert alive.pump.step() == 3
    assert rung == [False]


def test_what_is_no_low_alarms_nobody(alive: Living) -> None:
    rung = rings(alive)
    comes(alive, falling(alive, 100.0, 82.0, 71.0))
    assert rung == []


def test_a_low_that_is_not_believed_says_so_at_once(alive: Living) -> None:
    rung = rings(alive)
    comes(alive, falling(alive, 100.0, 98.0, 5.6))
    assert rung == [True]


def test_a_low_of_blood_alarms_at_once(alive: Living) -> None:
    rung = rings(alive)
    (stick,) = falling(alive, 60.0)
    comes(alive, [replace(stick, quality=FINGERSTICK)])
    assert rung == [False]


def test_what_comes_of_before_a_low_finds_its_place_yet(alive: Living) -> None:
    """Else every look would make "came after a newer one" of what is only a few minutes behind."""
    rings(alive)
    said = falling(alive, 100.0, 82.0, 65.0)
    comes(alive, [said[0], said[2]])
    comes(alive, [said[1]])
    alive.world.clock.advance(HOUR)
    alive.pump.step()
    assert [each.why for each in alive.read(since=said[0].seconds)] == ["", "", ""]


def test_a_low_that_is_judged_otherwise_when_its_hour_is_taken_alarms_again(alive: Living) -> None:
    rung = rings(alive)
    said = falling(alive, 160.0, 112.0, 64.0)
    comes(alive, [said[0], said[2]])
    assert rung == [False]
    comes(alive, [replace(said[1], value=160.0)])
    alive.world.clock.advance(HOUR)
    alive.pump.step()
    assert rung == [False, True], "96 mg/dL within five minutes"


def test_of_days_ago_it_alarms_nobody(alive: Living) -> None:
    rung = rings(alive)
    said = falling(alive, 100.0, 82.0, 65.0)
    alive.world.clock.advance(3 * HOUR)
    comes(alive, said)
    assert rung == []


def test_a_clock_that_was_a_day_ahead_keeps_no_low_still(alive: Living) -> None:
    """What alarmed under it is of a time to come: no low of today repeats it."""
    clock, rung = alive.world.clock, rings(alive)
    clock.advance(24 * HOUR)
    comes(alive, falling(alive, 55.0))
    clock.advance(HOUR)
    assert alive.pump.step() == 1
    assert len(rung) == 1
    clock.at -= 24 * HOUR
    said = falling(alive, 55.0)
    comes(alive, said)
    assert rung[1:] == [True]
    comes(alive, said)
    assert rung[1:] == [True]


@pytest.mark.parametrize("fault", ["flood", "book"])
def test_what_cannot_be_judged_alarms_unverified(
    alive: Living, fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rung, said = rings(alive), falling(alive, 100.0, 82.0, 65.0)
    with monkeypatch.context() as broken:
        if fault == "flood":
            broken.setattr(hearing, "MOST_HEARD", 2)
        else:
            broken.setattr(alive.twins._book, "of", away)
        comes(alive, said)
    assert rung == [True]
    assert "7.7777" not in caplog.text
    comes(alive, said)
    assert rung == [True, False], "the same look without the fault believes it"


def test_lows_that_wait_alarm_when_the_gateway_starts_again(alive: Living) -> None:
    comes(alive, falling(alive, 100.0, 82.0, 65.0))
    again = alive.start_again()
    rung = rings(again)
    again.twins.wake()
    assert rung == [False]
    assert [each["unverified"] for each in again.twins.alarms.shown(alive.world.clock.at)] == [False]


@pytest.mark.parametrize("hours", [0, 1_100])
def test_lows_alarm_when_it_starts_again_however_much_waits_before_them(alive: Living, hours: int) -> None:
    """Who sends what is old for weeks keeps nobody's low from being told after a crash."""
    now = alive.world.clock.at
    old = (Reading(now - 90 * 24 * HOUR + number * HOUR, 100.0, "mg/dL", 60) for number in range(hours))
    alive.site.queue.put([Measured(alive.world.twin + 1, "glucose", each) for each in old])
    alive.site.queue.put([Measured(alive.world.twin, "glucose", each) for each in falling(alive, 100.0, 82.0, 65.0)])
    again = alive.start_again()
    rung = rings(again)
    again.twins.wake()
    assert rung == [False]


def test_a_word_keeps_the_newest_of_its_alarms(alive: Living) -> None:
    alarms = alive.twins.alarms
    for at in range(2000):
        alarms.ring("word", at, unverified=at % 2 == 0)
    assert alarms.shown(2000) == [{"twin": "word", "age_seconds": 1, "unverified": False}]
    assert alarms.rang("word", 1999, 2000)
    assert not alarms.rang("word", 2000, 3000)
    assert len(alarms._rung["word"]) < 300

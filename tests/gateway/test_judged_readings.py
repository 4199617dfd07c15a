"""What a gateway's twins make of a reading: which is marked, which is corrected later, and which low rings an alarm."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import pytest

from dtledger.errors import UnreachableError
from dtledger.gateway.twins import TOO_LATE
from dtledger.readings import FINGERSTICK, Reading
from tests.gateway.conftest import Site
from tests.gateway.living import HOUR, Living, doubting, let_forecast, memory_of, packed, wild


class TestAReading:
    def test_that_is_not_believed_is_anchored_and_marked_with_the_reason(self, alive: Living) -> None:
        alive.live()
        readings = alive.sensor()
        readings[4] = wild(readings[4])
        alive.put(readings)
        assert alive.pump.step() == len(readings)
        found = alive.read(since=readings[0].seconds)
        assert [each.value for each in found] == [each.value for each in readings]
        assert found[4].doubtful
        assert "out of bounds" in found[4].why
        assert not found[3].doubtful
        assert found[3].why == ""
        assert alive.twins.doubtful == sum(each.doubtful for each in found)

    def test_that_comes_once_more_counts_for_nothing(self, alive: Living) -> None:
        alive.live()
        readings = alive.sensor()
        alive.put(readings)
        alive.pump.step()
        counted = alive.pump.told.anchored, alive.twins.doubtful
        alive.put(readings)
        assert alive.pump.step() == len(readings), "they leave the queue"
        assert (alive.pump.told.anchored, alive.twins.doubtful) == counted
        found = alive.read(since=readings[0].seconds)
        assert [(each.value, each.quality) for each in found] == [(each.value, "") for each in readings]

    def test_that_is_not_believed_marks_the_forecast(self, alive: Living) -> None:
        alive.live()
        assert not alive.forecast().unverified
        readings = alive.sensor()
        alive.put([*readings[:-1], wild(readings[-1])])
        alive.pump.step()
        found = alive.forecast()
        assert found.unverified
        assert "out of bounds" in " ".join(found.flags)
        assert found.made_at.timestamp() == readings[-2].seconds, "it goes from what is believed"

    def test_that_is_sent_again_is_no_second_one_without_its_mark(self, alive: Living) -> None:
        alive.live()
        readings = alive.sensor()
        readings[4] = wild(readings[4])
        batches = []
        for _ in range(2):
            alive.put(readings)
            alive.world.clock.advance(HOUR)
            alive.pump.step()
            batches.append(len(alive.world.ledger.view().batches(alive.world.gateway.address)))
        assert batches[0] == batches[1], "nothing of it is new"
        found = alive.read(since=readings[0].seconds)
        assert [(each.value, each.doubtful) for each in found][4] == (readings[4].value, True)
        assert len(found) == len(readings)

    def test_of_before_the_newest_is_kept_and_judged_by_nobody(self, alive: Living) -> None:
        readings = alive.live(2)
        before = memory_of(alive)
        late = Reading(readings[5].seconds + 60, 131.0, "mg/dL", 60)
        alive.put([late])
        alive.world.clock.advance(HOUR)
        assert alive.pump.step() == 1
        (found,) = [each for each in alive.read() if each.at.timestamp() == late.seconds]
        assert (found.quality, found.why) == ("unverified", TOO_LATE)
        assert (packed(memory_of(alive)) == packed(before)).all()

    def test_of_a_drop_of_blood_speaks_for_the_sensor_or_against_it(self, alive: Living) -> None:
        alive.live()
        for difference, believed in ((2.0, True), (170.0, False)):
            readings = alive.sensor()
            stick = Reading(readings[4].seconds - 120, readings[4].value + difference, "mg/dL", 60, FINGERSTICK)
            alive.put([*readings, stick])
            alive.pump.step()
            found = {each.at.timestamp(): each for each in alive.read(since=readings[0].seconds)}
            assert found[readings[4].seconds].doubtful is not believed
            assert not found[stick.seconds].doubtful

    def test_that_is_judged_otherwise_later_is_corrected_where_it_was_anchored(self, site: Site) -> None:
        let_forecast(site)
        alive = doubting(site)
        before = alive.live(1)
        now = alive.sensor()
        now[1] = replace(now[1], value=400.0)
        alive.put(now)
        alive.pump.step()
        found = {each.at.timestamp(): each for each in alive.read(since=before[0].seconds)}
        assert [found[each.seconds].doubtful for each in [*before[-3:], now[0]]] == [False, True, True, True]
        assert found[before[-1].seconds].corrected
        assert found[before[-1].seconds].why == "hindsight"
        assert len(found) == len(before) + len(now)
        originals = alive.read(since=before[0].seconds, originals=True)
        assert sum(bool(each.superseded_by) for each in originals) == 2
        assert alive.site.queue.twins.lent() == {}
        alive.live(1)
        assert alive.read(since=before[0].seconds).superseded == 2, "it is corrected once"

    def test_that_is_judged_otherwise_while_it_waits_is_anchored_so(self, site: Site) -> None:
        let_forecast(site)
        alive = doubting(site)
        before = alive.sensor()
        judge_otherwise(alive, before, anchored=False)
        found = {each.at.timestamp(): each for each in alive.read(since=before[0].seconds)}
        assert [found[each.seconds].doubtful for each in before[-4:]] == [False, True, True, True]
        assert not found[before[-1].seconds].corrected

    def test_whose_snapshot_was_erased_is_not_kept_for_its_correction_for_ever(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alive = doubting(site)
        alive.live(1)
        monkeypatch.setattr(alive.twins._telling, "_remarks", lambda _: [])  # as where its manifest is gone
        now = alive.sensor()
        now[0] = replace(now[0], value=400.0)
        alive.put(now)
        for days, left in ((0, True), (5, True), (40, False)):
            alive.world.clock.advance(days * 24 * HOUR)
            alive.pump.step()
            alive.twins._forget_old()
            assert bool(alive.site.queue.twins.lent()) is left

    @pytest.mark.parametrize("anchored", [True, False])
    def test_that_is_judged_otherwise_takes_no_drop_of_blood_with_it(self, site: Site, anchored: bool) -> None:
        let_forecast(site)
        alive = doubting(site)
        before = alive.sensor()
        stick = Reading(before[-2].seconds, 128.0, "mg/dL", 60, FINGERSTICK)
        judge_otherwise(alive, [*before, stick], anchored=anchored)
        found = [each for each in alive.read(since=before[0].seconds) if each.at.timestamp() == stick.seconds]
        assert {(each.value, each.quality) for each in found} == {(128.0, FINGERSTICK), (before[-2].value, "suspect")}

    def test_that_is_judged_otherwise_at_once_is_so_of_two_sensors(self, site: Site) -> None:
        let_forecast(site)
        alive = doubting(site)
        readings = alive.sensor()
        other = replace(readings[-2], value=readings[-2].value + 1)
        readings[-1] = replace(readings[-1], value=400.0)
        alive.put([*readings, other])
        alive.pump.step()
        found = [each for each in alive.read(since=readings[0].seconds) if each.at.timestamp() == other.seconds]
        assert [each.quality for each in found] == ["suspect", "suspect"]


def judge_otherwise(alive: Living, readings: list[Reading], *, anchored: bool) -> None:
    """Have a gateway no longer believe the last of these, when they are anchored or while they wait."""
    alive.put(readings)
    alive.world.ledger.unreachable = not anchored
    with nullcontext() if anchored else pytest.raises(UnreachableError):
        alive.pump.step()
    alive.world.ledger.unreachable = False
    now = alive.sensor()
    now[0] = replace(now[0], value=400.0)
    alive.put(now)
    alive.pump.step()


class TestALow:
    def low(self, alive: Living, value: float) -> list[tuple[bool, bool]]:
        """Alarms that a reading of that value rings (there is one, it is unverified)."""
        rung: list[bool] = []
        alive.twins.alarms.heard.append(rung.append)
        alive.live()
        readings = alive.sensor()
        readings[-1] = replace(readings[-1], value=value)
        alive.put(readings)
        alive.pump.step()
        assert [each["unverified"] for each in alive.twins.alarms.shown(alive.world.clock.at)] == rung[-1:]
        return [(True, each) for each in rung]

    def test_that_nobody_believes_alarms_and_says_so(self, alive: Living, caplog: pytest.LogCaptureFixture) -> None:
        assert self.low(alive, 6.7) == [(True, True)]
        assert "unverified" in caplog.text
        assert "6.7" not in caplog.text
        assert "low" in alive.forecast().flags

    def test_is_one_below_70(self, alive: Living) -> None:
        assert self.low(alive, 75.0) == []

    def test_that_comes_after_a_newer_one_alarms_and_says_that_nobody_vouches_for_it(self, alive: Living) -> None:
        """Else a second sensor, or a clock that is a quarter of an hour ahead, keeps every low of the first still."""
        rung: list[bool] = []
        alive.twins.alarms.heard.append(rung.append)
        alive.live()
        ahead = Reading(alive.world.clock.at + 600, 120.0, "mg/dL", 60)
        for value, alarms in ((75.0, []), (50.0, [True])):
            said = [ahead, Reading(alive.world.clock.at - 300, value, "mg/dL", 60)]
            alive.put(said)
            alive.world.clock.advance(601)
            alive.pump.step()
            assert rung == alarms
        alive.put(said)
        alive.world.clock.advance(601)
        assert alive.pump.step() == 2
        assert rung == [True], "what is sent again alarms nobody again"

    def test_of_a_drop_of_blood_alarms(self, alive: Living) -> None:
        rung: list[bool] = []
        alive.twins.alarms.heard.append(rung.append)
        alive.live()
        for value, alarms in ((75.0, []), (50.0, [False])):
            alive.put([Reading(alive.world.clock.at - 60, value, "mg/dL", 60, FINGERSTICK)])
            alive.world.clock.advance(601)
            alive.pump.step()
            assert rung == alarms

    def test_of_days_ago_alarms_nobody(self, alive: Living) -> None:
        rung: list[bool] = []
        alive.twins.alarms.heard.append(rung.append)
        alive.put([replace(each, value=60.0) for each in alive.sensor()])
        alive.world.clock.advance(3 * HOUR)
        alive.pump.step()
        assert rung == []

"""A gateway keeps its twins in step: each reading passes filter and gate once, and is anchored as it was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dtledger.errors import AccessDeniedError, UnreachableError
from dtledger.gateway.freshness import Freshness
from dtledger.gateway.twins import TOO_LATE
from dtledger.readings import FINGERSTICK, Reading
from dtledger.twin import batch, twin
from dtledger.twin.factors import Array
from dtledger.twin.past import LONG_AGO
from dtledger.vocabulary import Reason
from tests.gateway.conftest import Site
from tests.gateway.living import HOUR, Hindsight, Living, forecaster, let_forecast, living, opened


@pytest.fixture
def alive(site: Site) -> Living:
    let_forecast(site)
    return living(site)


def memory_of(alive: Living) -> twin.Memory:
    """What the gateway itself knows of the world's twin."""
    return alive.twins._book.of([alive.world.twin])[1].twin


def wild(reading: Reading) -> Reading:
    """What nobody's sensor can mean: mmol/L taken for mg/dL."""
    return replace(reading, value=reading.value / 18)


class TestAState:
    def test_makes_the_gateway_s_own_forecast_to_the_last_bit(self, alive: Living) -> None:
        alive.live()
        own = twin.forecast(alive.twins._keeper.prior, memory_of(alive))
        found = alive.forecast()
        assert [each.mean for each in found.ahead] == own.mean[:, 0].tolist()
        ends = [
            [one.low for one in reversed(each.intervals)] + [one.high for one in each.intervals] for each in found.ahead
        ]
        assert ends == own.quantiles[:, :, 0].tolist()

    def test_tells_no_reading_but_the_newest(self, alive: Living) -> None:
        alive.live()
        told, known = alive.states()[-1].memory, memory_of(alive)
        assert (told.past.times == LONG_AGO).all()
        assert not told.past.values.any()
        assert not told.origins[:, :-1].any()
        assert known.past.values.any(), "the twin itself remembers"
        assert known.origins[:, :-1].any()

    def test_is_told_once_a_batch_and_is_of_its_newest_reading(self, alive: Living) -> None:
        readings = alive.live(3)
        told = alive.states()
        assert [each.at for each in told] == [readings[place].seconds for place in (10, 21, 32)]

    def test_knows_what_was_eaten_and_injected(self, alive: Living) -> None:
        readings = alive.sensor()
        alive.put(readings)
        alive.put([Reading(readings[3].seconds + 60, 50.0, "g", 60)], "meals")
        alive.put([Reading(readings[3].seconds + 60, 4.0, "[iU]", 60)], "insulin")
        alive.put([Reading(readings[5].seconds, 0.8, "[iU]/h", 60)], "insulin")
        assert alive.pump.step() == len(readings) + 3
        assert alive.states()[-1].memory.on_board[0, 0] > 10
        assert alive.states()[-1].memory.on_board[2, 0] > 1
        assert not memory_of(living(alive.site)).on_board[4, 0]

    def test_takes_a_meal_that_waits_for_the_sensor_with_the_next_batch(self, alive: Living) -> None:
        alive.live(1)
        alive.put([Reading(alive.world.clock.at - 60, 50.0, "g", 60)], "meals")
        alive.world.clock.advance(HOUR)
        alive.pump.step()
        assert not alive.states()[-1].memory.on_board[0, 0]
        alive.put(alive.sensor())
        alive.pump.step()
        assert alive.states()[-1].memory.on_board[0, 0] > 5

    def test_goes_on_over_an_outage_and_is_told_as_it_then_is(self, alive: Living) -> None:
        alive.world.ledger.unreachable = True
        alive.put(alive.sensor())
        with pytest.raises(UnreachableError):
            alive.pump.step()
        alive.world.ledger.unreachable = False
        alive.put(alive.sensor())
        alive.pump.step()
        assert len(alive.states()) == 1
        assert alive.read()[-1].value == pytest.approx(memory_of(alive).past.values[-1, 0])

    def test_of_many_twins_is_each_one_s_own(self, alive: Living) -> None:
        mine, theirs = alive.sensor(), [replace(each, value=each.value / 2 + 60) for each in alive.sensor()][:7]
        alive.put(mine)
        alive.put(theirs, twin=alive.site.other)
        assert alive.pump.step() == len(mine) + 7
        both = alive.twins._book.of([alive.world.twin, alive.site.other])[1].twin
        for place, readings in enumerate((mine, theirs)):
            np.testing.assert_allclose(both.state.mean[:, place], alone(alive, readings).state.mean[:, 0], rtol=1e-9)

    def test_of_another_model_is_begun_anew(self, alive: Living) -> None:
        alive.live()
        keeper = alive.twins._keeper
        other = living(alive.site, replace(keeper, prior=replace(keeper.prior, version=99)))
        assert memory_of(other).at[0] == LONG_AGO
        assert memory_of(alive).at[0] != LONG_AGO

    def test_that_was_changed_on_the_disk_is_begun_anew(self, alive: Living) -> None:
        alive.live(1)
        with alive.site.queue.twins._file.transaction() as database:
            database.execute("UPDATE states SET sealed = ?", (bytes(5_000),))
        assert memory_of(alive).at[0] == LONG_AGO
        alive.live(1)
        assert memory_of(alive).at[0] != LONG_AGO


def alone(alive: Living, readings: list[Reading]) -> twin.Memory:
    keeper = alive.twins._keeper
    memory = keeper.start(1)
    for each in readings:
        minute = np.array([each.seconds / 60 + 60])
        memory = keeper.take(memory, minute, np.array([each.value])).memory
    return memory.twin


class TestConsent:
    def test_to_forecast_alone_gives_a_forecast_and_no_reading(self, alive: Living) -> None:
        alive.live()
        planner = forecaster(alive.site)
        found = alive.forecast(planner)
        assert (found.mean, found.snapshot) == (alive.forecast().mean, alive.forecast().snapshot)
        with pytest.raises(AccessDeniedError) as caught:
            planner.read(alive.world.twin, "glucose", "TREAT")
        assert caught.value.reason is Reason.CATEGORY

    def test_to_readings_alone_gives_none(self, alive: Living) -> None:
        alive.live()
        with pytest.raises(AccessDeniedError) as caught:
            alive.forecast(alive.world.clinician)
        assert caught.value.reason is Reason.CATEGORY

    def test_that_was_revoked_gives_none(self, alive: Living) -> None:
        alive.live()
        planner = forecaster(alive.site)
        assert alive.forecast(planner).answered == 3
        alive.world.patient.consents.revoke_all(alive.world.twin)
        with pytest.raises(AccessDeniedError) as caught:
            alive.forecast(planner)
        assert caught.value.reason is Reason.REVOKED

    def test_to_write_without_forecast_is_said_and_stops_nothing(self, site: Site) -> None:
        alive = living(site)
        readings = alive.live(1)
        assert alive.twins.refused == {site.world.twin: Reason.CATEGORY}
        assert site.has(site.world.patient, site.world.twin, readings)
        let_forecast(site)
        alive.live(1)
        assert alive.twins.refused == {}
        assert len(alive.states()) == 1

    def test_that_ended_takes_the_state_with_it(self, alive: Living) -> None:
        alive.live(1)
        alive.put(alive.sensor())
        alive.world.patient.consents.revoke_all(alive.world.twin)
        alive.pump.step()
        assert memory_of(alive).at[0] != LONG_AGO
        alive.world.clock.advance(HOUR)
        alive.pump.step()
        assert alive.pump.told.handed_over == 11
        assert memory_of(alive).at[0] == LONG_AGO
        assert alive.pump.freshness.ages(alive.world.clock.at) == []

    def test_that_never_was_to_an_older_hour_leaves_the_gate_its_memory(self, alive: Living) -> None:
        """Else a device that lies sends one reading of before its grant, and nobody judges it for a day."""
        alive.live(1)
        before = memory_of(alive)
        alive.put([Reading(alive.world.clock.at - 400 * 24 * HOUR, 130.0, "mg/dL", 60)])
        alive.pump.step()
        alive.world.clock.advance(HOUR)
        alive.pump.step()
        assert alive.pump.told.handed_over == 1
        assert (packed(memory_of(alive)) == packed(before)).all()


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
        keeper = living(site).twins._keeper
        alive = living(site, Hindsight(keeper.prior, keeper.thresholds))
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
        keeper = living(site).twins._keeper
        alive = living(site, Hindsight(keeper.prior, keeper.thresholds))
        alive.world.ledger.unreachable = True
        before = alive.sensor()
        alive.put(before)
        with pytest.raises(UnreachableError):
            alive.pump.step()
        alive.world.ledger.unreachable = False
        now = alive.sensor()
        now[0] = replace(now[0], value=400.0)
        alive.put(now)
        alive.pump.step()
        found = {each.at.timestamp(): each for each in alive.read(since=before[0].seconds)}
        assert [found[each.seconds].doubtful for each in before[-4:]] == [False, True, True, True]
        assert not found[before[-1].seconds].corrected

    def test_whose_snapshot_was_erased_is_not_kept_for_its_correction_for_ever(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keeper = living(site).twins._keeper
        alive = living(site, Hindsight(keeper.prior, keeper.thresholds))
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
        keeper = living(site).twins._keeper
        alive = living(site, Hindsight(keeper.prior, keeper.thresholds))
        before = alive.sensor()
        stick = Reading(before[-2].seconds, 128.0, "mg/dL", 60, FINGERSTICK)
        alive.put([*before, stick])
        alive.world.ledger.unreachable = not anchored
        if anchored:
            alive.pump.step()
        else:
            with pytest.raises(UnreachableError):
                alive.pump.step()
        alive.world.ledger.unreachable = False
        now = alive.sensor()
        now[0] = replace(now[0], value=400.0)
        alive.put(now)
        alive.pump.step()
        found = [each for each in alive.read(since=before[0].seconds) if each.at.timestamp() == stick.seconds]
        assert {(each.value, each.quality) for each in found} == {(128.0, FINGERSTICK), (before[-2].value, "suspect")}

    def test_that_is_judged_otherwise_at_once_is_so_of_two_sensors(self, site: Site) -> None:
        let_forecast(site)
        keeper = living(site).twins._keeper
        alive = living(site, Hindsight(keeper.prior, keeper.thresholds))
        readings = alive.sensor()
        other = replace(readings[-2], value=readings[-2].value + 1)
        readings[-1] = replace(readings[-1], value=400.0)
        alive.put([*readings, other])
        alive.pump.step()
        found = [each for each in alive.read(since=readings[0].seconds) if each.at.timestamp() == other.seconds]
        assert [each.quality for each in found] == ["suspect", "suspect"]


def packed(memory: twin.Memory) -> Array:
    return batch.pack(memory)


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


class Killed(BaseException):
    pass


DEATHS: dict[str, Callable[[Living], tuple[object, str]]] = {
    "before the states are kept": lambda alive: (alive.site.queue.twins, "take"),
    "before the states are told": lambda alive: (alive.twins, "waiting"),
    "before the batch is stored": lambda alive: (alive.world.store, "put_many"),
    "before the batch is noted": lambda alive: (alive.site.queue, "note"),
    "before the anchor": lambda alive: (alive.world.ledger, "send"),
    "before the states are settled": lambda alive: (alive.twins, "settle"),
    "before ages are kept": lambda alive: (alive.site.queue.twins, "note_newest"),
    "before the readings are forgotten": lambda alive: (alive.site.queue, "drop"),
}


@pytest.mark.parametrize("where", DEATHS)
def test_killed_anywhere_its_twins_are_as_if_it_had_lived(
    alive: Living, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise Killed

    readings = [alive.live(1), alive.sensor()]
    readings[1][4] = wild(readings[1][4])
    alive.put(readings[1])
    with monkeypatch.context() as killing:
        killing.setattr(*DEATHS[where](alive), die)
        with pytest.raises(Killed):
            alive.pump.step()
    again = alive.start_again()
    again.pump.step()
    again.put(again.sensor())
    again.pump.step()
    found = again.read(since=readings[0][0].seconds)
    values = [each.value for each in found]
    assert len(values) == 33
    assert [each.doubtful for each in found][15:17] == [True, found[16].doubtful]
    assert (packed(memory_of(again)) == packed(lived(again, found).twin)).all()
    told = opened(again, again.world.twin)
    assert len({*told}) == len(told) == 3, "one an hour, each once"
    assert again.site.queue.totals().rows == 0


def lived(alive: Living, found: object) -> object:
    """The memory of a gateway that nobody killed, after the same readings."""
    keeper = alive.twins._keeper
    memory = keeper.start(1)
    for each in found:  # type: ignore[attr-defined]
        minute = np.array([each.at.timestamp() / 60 + 60])
        memory = keeper.take(memory, minute, np.array([each.value]), np.zeros(1), None, np.array([np.nan])).memory
    return memory


class TestAges:
    def test_outlive_the_process_and_are_stale_by_category(self, alive: Living) -> None:
        alive.live(1)
        alive.put([Reading(alive.world.clock.at - 60, 50.0, "g", 60)], "meals")
        alive.world.clock.advance(HOUR)
        alive.pump.step()
        for hours, stale in ((0, [False, False]), (2, [True, False]), (24, [True, True])):
            ages = Freshness(alive.site.queue).ages(alive.world.clock.at + hours * HOUR)
            assert [each.stale for each in ages] == stale
        assert ages[0].seconds - ages[1].seconds == 60 * 4
        assert Freshness(alive.site.queue).ages(alive.world.clock.at + 31 * 24 * HOUR) == []


def test_the_queue_s_file_tells_nothing_of_a_twin(alive: Living, tmp_path: Path) -> None:
    alive.live(1)
    for name in ("queue.db", "queue.db-wal"):
        data = (tmp_path / name).read_bytes() if (tmp_path / name).exists() else b""
        assert np.float64(memory_of(alive).past.values[-1, 0]).tobytes() not in data
        assert b"forecast" not in data
    assert len((tmp_path / "queue.db").read_bytes()) > 0

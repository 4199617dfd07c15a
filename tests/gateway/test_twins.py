"""A gateway keeps its twins in step: each reading passes filter and gate once, and is anchored as it was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dtledger.errors import AccessDeniedError, UnreachableError
from dtledger.gateway.freshness import Freshness
from dtledger.readings import Reading
from dtledger.twin import twin
from dtledger.twin.past import LONG_AGO
from dtledger.vocabulary import Reason
from tests.gateway.conftest import Site
from tests.gateway.living import HOUR, Living, forecaster, let_forecast, lived, living, memory_of, opened, packed, wild


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

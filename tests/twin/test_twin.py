"""A glucose twin takes one reading at a time, and knows nothing of what comes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from dtledger.errors import IntegrityError
from dtledger.twin import batch, day, intake, personal, prior, twin
from dtledger.twin.factors import Array
from dtledger.twin.features import SCALES
from dtledger.twin.glucose import BEYOND, BOUND, LEVEL, LEVELS, MEAL, GlucoseProcess, Parameters
from dtledger.twin.prior import NEWBORN
from dtledger.twin.snapshot import decode_state, encode_state, glucose_model
from dtledger.twin.twin import Announced, Forecast, Memory
from tests.twin.people import lived, readings

pytestmark = pytest.mark.slow

SHIPPED = prior.shipped()
MODEL, NEWBORN_MODEL = glucose_model(SHIPPED), glucose_model(NEWBORN)
NEWBORN_STATE = twin.start(NEWBORN, 1).state


def same(one: Forecast, other: Forecast) -> bool:
    return bool((one.mean == other.mean).all() and (one.quantiles == other.quantiles).all())


class Crowd(NamedTuple):
    """Twelve people's readings, (rows, 12), and their forecasts by row."""

    glucose: Array
    means: Array
    quantiles: Array


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    people = [readings(seed, 300) for seed in range(12)]
    minutes, glucose = (np.stack(each, axis=1) for each in zip(*people, strict=True))
    found = [ahead for _, ahead in lived(SHIPPED, minutes, glucose)]
    return Crowd(glucose, np.stack([each.mean for each in found]), np.stack([each.quantiles for each in found]))


@pytest.fixture(scope="module")
def known() -> tuple[float, list[tuple[Memory, Forecast]]]:
    """The last minute of somebody's two days, and the memory and the forecast after each reading."""
    minutes, glucose = readings(1)
    return float(minutes[-1]), lived(SHIPPED, minutes, glucose)


Known = tuple[float, list[tuple[Memory, Forecast]]]


class TestAForecast:
    def test_is_the_same_bit_for_bit_whatever_the_future_brings(self, known: Known) -> None:
        minutes, glucose = readings(1)
        garbage = glucose.copy()
        garbage[100:] = np.random.default_rng(2).uniform(40, 400, len(garbage) - 100)
        true, false = known[1], lived(SHIPPED, minutes, garbage)
        assert all(same(one, other) for (_, one), (_, other) in zip(true[:100], false[:100], strict=True))
        assert not same(true[100][1], false[100][1])

    def test_of_one_twin_does_not_depend_on_those_beside_it(self, known: Known) -> None:
        minutes, glucose = readings(1)
        _, other = readings(2)
        both = lived(SHIPPED, np.stack([minutes, minutes], 1), np.stack([glucose, other], 1))[-1][1]
        alone = known[1][-1][1]
        np.testing.assert_allclose(both.mean[:, :1], alone.mean, rtol=1e-9)

    def test_is_nearer_than_persistence_on_days_that_are_alike(self, crowd: Crowd) -> None:
        for k, ahead in ((1, 2), (2, 4)):
            now, then = crowd.glucose[150:-ahead], crowd.glucose[150 + ahead :]
            own = crowd.means[150:-ahead, k] - then
            assert np.square(own).mean() < 0.85 * np.square(now - then).mean()

    def test_has_intervals_that_cover_what_they_say(self, crowd: Crowd) -> None:
        """Though the errors are of another kind than those that the prior was fitted on, with heavy tails."""
        for k, ahead in enumerate((1, 2, 4)):
            then, ends = crowd.glucose[100 + ahead :], crowd.quantiles[100:-ahead, k]
            for level, low, high in ((0.95, 0, 5), (0.8, 1, 4), (0.5, 2, 3)):
                covered = ((ends[:, low] <= then) & (then <= ends[:, high])).mean()
                assert abs(covered - level) < 0.05

    def test_has_quantiles_in_their_order(self, crowd: Crowd) -> None:
        assert (np.diff(crowd.quantiles, axis=2) >= 0).all()


class TestAReading:
    def test_that_is_missing_is_coasted_over_with_growing_doubt(self, known: Known) -> None:
        last, (*_, (memory, _)) = known
        deviations = []
        for quarter in range(1, 9):
            coming = twin.expect(SHIPPED, memory, np.array([last + 15 * quarter]))
            deviations.append(coming.deviation[0])
            step = coming.take(np.array([np.nan]))
            memory = step.memory
            assert step.nis[0] == 0
            assert not step.seen[0]
        assert (np.diff(deviations) > 0).all()

    def test_that_is_missing_leaves_what_was_learned(self, known: Known) -> None:
        last, (*_, (memory, _)) = known
        after = twin.expect(SHIPPED, memory, np.array([last + 15])).take(np.array([np.nan])).memory
        assert (after.personal.terms == memory.personal.terms).all()
        assert (after.personal.quantiles == memory.personal.quantiles).all()
        assert (after.day.sums == memory.day.sums).all()
        assert (after.past.values == memory.past.values).all()
        assert (after.origins == memory.origins).all()

    def test_may_be_looked_at_and_taken_back(self, known: Known) -> None:
        last, (*_, (memory, ahead)) = known
        twin.expect(SHIPPED, memory, np.array([last + 15])).take(np.array([400.0]))
        assert same(twin.forecast(SHIPPED, memory), ahead)

    def test_of_the_past_or_without_bound_is_refused(self, known: Known) -> None:
        last, (*_, (memory, _)) = known
        twin.expect(SHIPPED, memory, np.array([last])).take(np.array([120.0]))
        for wrong in (last - 1, np.nan, np.inf):
            with pytest.raises(ValueError, match="never runs back"):
                twin.expect(SHIPPED, memory, np.array([wrong]))
        with pytest.raises(ValueError, match="finite"):
            twin.expect(SHIPPED, memory, np.array([last])).take(np.array([np.inf]))

    def test_at_the_floor_says_less_than_a_number(self, known: Known) -> None:
        last, (*_, (memory, _)) = known
        coming = twin.expect(SHIPPED, memory, np.array([last + 60]))
        low, number = (coming.take(np.array([39.6]), np.array([side])).memory.state for side in (-1.0, 0.0))
        assert low.mean[0, 0] < 39.6 + 1
        assert low.factor[0, 0, 0] > number.factor[0, 0, 0]

    @pytest.mark.parametrize("apart", [1.0, 5.0, 7.0])
    def test_may_come_at_any_interval(self, apart: float) -> None:
        minutes = apart * np.arange(100)
        glucose = 120 + 30 * np.sin(minutes / 60)
        found = lived(SHIPPED, minutes, glucose)
        assert abs(found[-1][1].mean[0, 0] - (120 + 30 * np.sin((minutes[-1] + 15) / 60))) < 15
        assert np.isfinite(found[-1][1].quantiles).all()


class TestWhatIsPersonal:
    @pytest.mark.parametrize("apart", [1.0, 5.0, 15.0])
    def test_is_learned_four_times_an_hour_however_often_the_sensor_speaks(self, apart: float) -> None:
        found = lived(SHIPPED, apart * np.arange(241 / apart), 120 + 30 * np.sin(np.arange(241 / apart) * apart / 60))
        terms = np.stack([memory.personal.terms[:, :, 0] for memory, _ in found])
        changed = (np.diff(terms, axis=0) != 0).any(axis=2)
        times = apart * (1 + np.arange(len(changed)))
        for k, horizon in enumerate((15, 30, 60)):
            learned = times[changed[:, k]]
            assert (np.diff(learned) >= 14).all()
            assert len(learned) >= 16 - horizon // 15

    def test_is_bayesian_regression_one_reading_at_a_time(self) -> None:
        draw = np.random.default_rng(1)
        inputs, error = draw.normal(size=(80, 3, personal.TERMS, 2)), draw.normal(size=(80, 3, 2))
        known = personal.start(2, 0.3, np.zeros((3, 6)))
        for x, e in zip(inputs, error, strict=True):
            known = personal.learn(known, x, e, e, np.ones((3, 1)))
        for k in range(3):
            for i in range(2):
                x, noise = inputs[:, k, :, i], personal.NOISE[k, 0] ** 2
                precision = x.T @ x / noise + np.eye(personal.TERMS) / 0.3**2
                expected = np.linalg.solve(precision, x.T @ error[:, k, i] / noise)
                np.testing.assert_allclose(known.terms[k, :, i], expected, rtol=1e-9)
                np.testing.assert_allclose(
                    known.covariance[k, :, :, i], np.linalg.inv(precision), rtol=1e-8, atol=1e-12
                )

    def test_is_a_day_whose_meals_are_foreseen(self) -> None:
        known = day.start(1)
        for quarter in range(96 * 4):
            at = np.array([15.0 * quarter])
            known = day.learn(known, at, np.where((at % 1440 >= 720) & (at % 1440 < 840), 220.0, 120.0))
        before_noon, at_night = day.ahead(known, np.array([11.5 * 60])), day.ahead(known, np.array([2.0 * 60]))
        assert before_noon[2, 0] > 40
        assert abs(at_night[2, 0]) < 5

    def test_is_how_strongly_a_meal_acts(self) -> None:
        """Two people under the model's own law, whose meals act half and twice as much as others'."""
        truth = np.repeat(NEWBORN_STATE.mean, 2, axis=1)
        truth[MEAL] = np.log([0.5, 2.0])
        on_board, memory, elapsed = intake.start(2), twin.start(NEWBORN, 2), np.full(2, 15.0)
        for quarter in range(96):
            on_board, absorbed = intake.move(on_board, elapsed)
            truth = GlucoseProcess(NEWBORN.parameters, absorbed).move(truth[:, None], elapsed)[:, 0]
            meal = np.full(2, 60.0 if quarter % 24 == 0 else 0.0)
            on_board = intake.taken(on_board, meal)
            coming = twin.expect(NEWBORN, memory, np.full(2, 15.0 * quarter))
            memory = coming.take(truth[0], announced=Announced(meal, np.zeros(2), np.zeros(2))).memory
        weak, strong = memory.state.mean[MEAL]
        assert weak < -0.1 < 0.1 < strong

    def test_gains_and_level_are_bounded_whatever_the_state(self) -> None:
        process = GlucoseProcess(Parameters(), np.array([[30.0], [5.0], [0.0]]))
        wild = np.zeros((6, 3, 1))
        wild[0] = 120
        wild[LEVEL:] = np.array([-1e6, 0.0, 1e6])[None, :, None]
        assert np.isfinite(process.move(wild, np.array([15.0]))).all()

    @pytest.mark.parametrize("lie", ["meal", "insulin", "readings"])
    def test_is_not_taught_for_good_what_no_body_does(self, lie: str) -> None:
        """Where level and gains move nothing any more, no true reading would bring them back."""
        memory, nothing = twin.start(NEWBORN, 1), np.zeros(1)
        for place in range(48):
            meal, dose = (np.array([1e7]) if name == lie else nothing for name in ("meal", "insulin"))
            reading = np.array([600.0 if place % 2 else 20.0] if lie == "readings" else [130.0])
            coming = twin.expect(NEWBORN, memory, np.array([15.0 * place]))
            memory = coming.take(reading, announced=Announced(meal, dose, dose)).memory
        level, *gains = memory.state.mean[LEVEL:, 0]
        assert LEVELS[0] - BEYOND <= level <= LEVELS[1] + BEYOND
        assert max(np.abs(gains)) <= 2 * BOUND
        assert max(memory.on_board[::2, 0]) <= max(intake.MOST)


class TestTwinsSideBySide:
    def test_are_those_that_were_alone(self, known: Known) -> None:
        (first, _), (second, _) = known[1][50], known[1][90]
        both = batch.join([first, second])
        again = batch.of(both, np.array([1]))
        assert encode_state(MODEL, again) == encode_state(MODEL, second)
        swapped = batch.put(both, np.array([1]), first)
        assert encode_state(MODEL, batch.of(swapped, np.array([1]))) == encode_state(MODEL, first)
        assert encode_state(MODEL, batch.of(both, np.array([1]))) == encode_state(MODEL, second)


class TestASnapshot:
    def test_restores_a_forecast_bit_for_bit_and_goes_on_as_if_never_away(self, known: Known) -> None:
        minutes, glucose = readings(1)
        before = known[1][99]
        data = encode_state(MODEL, before[0], innovation=1.5, nis=0.2, flags=["suspect"])
        found = decode_state(data, MODEL)
        assert (found.innovation, found.nis, found.flags) == (1.5, 0.2, ("suspect",))
        assert same(twin.forecast(SHIPPED, found.memory), before[1])
        away = lived(SHIPPED, minutes[100:], glucose[100:], found.memory)
        assert all(same(one, other) for (_, one), (_, other) in zip(away, known[1][100:], strict=True))
        assert len(data) < 12 * 1024
        assert len(encode_state(MODEL, known[1][0][0])) == len(encode_state(MODEL, known[1][-1][0]))

    def test_of_another_model_is_refused(self) -> None:
        memory = twin.start(NEWBORN, 1)
        data = encode_state(NEWBORN_MODEL, memory)
        decode_state(data, NEWBORN_MODEL)
        with pytest.raises(IntegrityError, match="of another model"):
            decode_state(data, MODEL)

    def test_of_other_bytes_is_refused(self) -> None:
        data = encode_state(NEWBORN_MODEL, twin.start(NEWBORN, 1))
        for wrong in (data[:-1], data + b"\0", b"\xa0", data.replace(b"twin-state/1", b"twin-state/2")):
            with pytest.raises(IntegrityError):
                decode_state(wrong, NEWBORN_MODEL)

    def test_is_of_one_twin(self) -> None:
        encode_state(NEWBORN_MODEL, twin.start(NEWBORN, 1))
        with pytest.raises(ValueError, match="of one twin"):
            encode_state(NEWBORN_MODEL, twin.start(NEWBORN, 2))


def test_a_prior_is_read_as_it_was_written() -> None:
    again = prior.read(SHIPPED.write())
    assert again.write() == SHIPPED.write()
    with pytest.raises(ValueError, match="not a prior"):
        prior.read("{}")
    assert SCALES.shape == (3, 1)
    assert isinstance(twin.start(SHIPPED, 2), Memory)

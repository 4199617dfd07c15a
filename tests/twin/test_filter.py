"""The filter is right: it equals known answers and filterpy, and its covariance stays one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from dtledger.twin.drifting import Drift, DriftingProcess
from dtledger.twin.factors import bordered, covariance, triangular
from dtledger.twin.filter import Filter, Linear, Process, State, Update
from dtledger.twin.glucose import GlucoseProcess, Parameters
from dtledger.twin.vitals import VitalsProcess
from tests.twin.cases import Bent, case, linear, spread

MINUTE = np.ones(1)


def step(filter_: Filter, state: State, process: Bent, sensor: Bent, readings: np.ndarray) -> Update:
    return filter_.expect(filter_.predict(state, process, MINUTE), sensor).update(readings)


@pytest.mark.real_data
def test_it_equals_the_known_answers_of_a_linear_case() -> None:
    known = json.loads(Path(os.environ["DTLEDGER_DATA"], "reference", "pykalman_linear2d.json").read_text())
    process = linear(np.array(known["A"]), np.array(known["Q"]))
    sensor = linear(np.array(known["C"]), np.array(known["R"]))
    for alpha in (0.01, 0.5, 1.0):
        filter_ = Filter(alpha)
        state = State(np.array(known["x0"])[:, None], np.linalg.cholesky(known["P0"])[:, :, None])
        for reading, mean, spread_ in zip(known["Z"][1:], known["filtered_mean"], known["filtered_cov"], strict=True):
            predicted = filter_.predict(state, process, MINUTE)
            state = filter_.expect(predicted, sensor).update(np.array([[float(reading)]])).state
            np.testing.assert_allclose(state.mean[:, 0], mean, rtol=1e-8)
            np.testing.assert_allclose(state.covariance[:, :, 0], spread_, rtol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.01, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("bend", [0.0, 0.1])
@pytest.mark.parametrize("seed", range(4))
def test_it_equals_filterpy(seed: int, bend: float, alpha: float) -> None:
    """Which draws its points anew after the process's noise, and adds both noises."""
    from filterpy.kalman import MerweScaledSigmaPoints, UnscentedKalmanFilter  # SciPy takes a second

    size, count = 2 + seed, 1 + seed % 3
    state, process, sensor = case(seed, size, count, bend)
    points = MerweScaledSigmaPoints(size, alpha, 2.0, 0.0)
    other = UnscentedKalmanFilter(
        size,
        count,
        1.0,
        hx=lambda x: sensor.read(x[:, None, None])[:, 0, 0],
        fx=lambda x, _: process.move(x[:, None, None], MINUTE)[:, 0, 0],
        points=points,
    )
    other.x, other.P = state.mean[:, 0].copy(), state.covariance[:, :, 0].copy()
    other.Q, other.R = process.factor @ process.factor.T, sensor.factor @ sensor.factor.T
    draw = np.random.default_rng(seed + 100)
    filter_ = Filter(alpha)
    for _ in range(20):
        readings = draw.normal(size=(count, 1)) * 3
        updated = step(filter_, state, process, sensor, readings)
        other.predict()
        other.update(readings[:, 0])
        state = updated.state
        np.testing.assert_allclose(state.mean[:, 0], other.x, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(state.covariance[:, :, 0], other.P, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(updated.innovation[:, 0], other.y, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(updated.nis[0], other.y @ np.linalg.inv(other.S) @ other.y, rtol=1e-7)
        # What rounding its weights of up to ±10,000 cost must not pile up over the steps.
        other.x, other.P = state.mean[:, 0].copy(), state.covariance[:, :, 0].copy()


def walk(steps: int, twins: int) -> None:
    """Random matrices, noises over twelve orders of size, gaps and censored readings: never an invalid covariance."""
    draw = np.random.default_rng(8)
    size, count = 4, 2
    state = State(draw.normal(size=(size, twins)), np.repeat(spread(draw, size)[:, :, None], twins, axis=2))
    filter_ = Filter(0.05)
    for _ in range(steps // twins):
        matrix = np.linalg.qr(draw.normal(size=(size, size)))[0] * draw.uniform(0.5, 1.05)
        process = Bent(matrix, 0.2, spread(draw, size) * 10 ** draw.uniform(-6, 0))
        sensor = Bent(draw.normal(size=(count, size)), 0.2, spread(draw, count) * 10 ** draw.uniform(-6, 0))
        readings = np.where(draw.random((count, twins)) < 0.3, np.nan, draw.normal(size=(count, twins)) * 3)
        censored = draw.choice([-1, 0, 0, 0, 0, 0, 1], size=(count, twins))
        predicted = filter_.predict(state, process, np.ones(twins))
        state = filter_.expect(predicted, sensor).update(readings, censored).state
        assert np.isfinite(state.mean).all()
        assert np.isfinite(state.factor).all()
        assert (state.factor[range(size), range(size)] > 0).all()
        if draw.random() < 0.01:
            matrices = np.moveaxis(state.covariance, -1, 0)
            assert (matrices == matrices.transpose(0, 2, 1)).all()


def test_its_covariance_stays_symmetric_and_positive_definite_over_random_steps_with_gaps() -> None:
    walk(50_000, twins=500)


@pytest.mark.skipif(not os.environ.get("DTLEDGER_LONG"), reason="DTLEDGER_LONG is not set")
def test_and_over_a_million() -> None:
    walk(1_000_000, twins=200)


def test_no_weight_may_make_a_covariance_a_difference() -> None:
    Filter(1.0, beta=1.0)
    with pytest.raises(ValueError, match="at least α²"):
        Filter(1.0, beta=0.5)


def test_a_factor_is_lower_triangular_with_a_positive_diagonal_and_the_same_squares() -> None:
    draw = np.random.default_rng(1)
    columns = draw.normal(size=(5, 13, 7))
    lower = triangular(columns)
    assert (lower[np.triu_indices(5, 1)] == 0).all()
    assert (lower[range(5), range(5)] > 0).all()
    np.testing.assert_allclose(covariance(lower), np.einsum("ikt,jkt->ijt", columns, columns), rtol=1e-12, atol=1e-12)


def test_one_reading_over_a_factor_has_the_same_triangular_root_by_rotations() -> None:
    draw = np.random.default_rng(2)
    columns = np.zeros((5, 5, 7))
    columns[0], columns[1:, :4] = draw.normal(size=(5, 7)), triangular(draw.normal(size=(4, 9, 7)))
    np.testing.assert_allclose(bordered(columns), triangular(columns), rtol=1e-12, atol=1e-12)


def test_one_twin_s_rotations_are_those_of_many_to_the_last_bit() -> None:
    draw = np.random.default_rng(3)
    for _ in range(50):
        columns = np.zeros((7, 7, 3))
        columns[0], columns[1:, :6] = draw.normal(size=(7, 3)), triangular(draw.normal(size=(6, 9, 3)))
        alone = np.concatenate([bordered(columns[:, :, [place]]) for place in range(3)], axis=2)
        assert (alone == bordered(columns)).all()


class TestAReading:
    def test_that_is_missing_changes_nothing(self) -> None:
        state, _, sensor = case(3)
        updated = Filter().expect(state, sensor).update(np.full((2, 1), np.nan))
        assert (updated.state.mean == state.mean).all()
        assert (updated.state.factor == state.factor).all()
        assert updated.nis[0] == updated.degrees[0] == 0

    def test_that_is_missing_beside_another_counts_as_if_only_that_other_were_measured(self) -> None:
        state, _, sensor = case(3, bend=0.3)
        both = Filter().expect(state, sensor).update(np.array([[np.nan], [1.0]])).state
        square = sensor.factor @ sensor.factor.T
        alone = Bent(sensor.matrix[1:], sensor.bend, np.sqrt(square[1:, 1:]))
        one = Filter().expect(state, alone).update(np.array([[1.0]])).state
        np.testing.assert_allclose(both.mean, one.mean, rtol=1e-12)
        np.testing.assert_allclose(both.covariance, one.covariance, rtol=1e-11)

    def test_of_a_twin_does_not_touch_another(self) -> None:
        state, _, sensor = case(3, bend=0.3)
        two = State(np.repeat(state.mean, 2, axis=1), np.repeat(state.factor, 2, axis=2))
        readings = np.array([[np.nan, 1.0], [np.nan, 2.0]])
        updated = Filter().expect(two, sensor).update(readings).state
        alone = Filter().expect(state, sensor).update(readings[:, 1:]).state
        assert (updated.mean[:, :1] == state.mean).all()
        np.testing.assert_allclose(updated.mean[:, 1:], alone.mean, rtol=1e-12)

    @pytest.mark.parametrize("bend", [0.0, 0.3])
    def test_counts_the_same_in_another_unit(self, bend: float) -> None:
        state, _, sensor = case(5, bend=bend)

        class Scaled(Bent):
            def read(self, points: np.ndarray) -> np.ndarray:
                return 18 * super().read(points)

        readings = np.array([[1.0], [2.0]])
        plain = Filter().expect(state, sensor).update(readings)
        scaled = Scaled(sensor.matrix, bend, 18 * sensor.factor)
        other = Filter().expect(state, scaled).update(18 * readings)
        np.testing.assert_allclose(other.state.mean, plain.state.mean, rtol=1e-12)
        np.testing.assert_allclose(other.state.covariance, plain.state.covariance, rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose(other.nis, plain.nis, rtol=1e-11)

    def test_counts_the_same_in_whatever_order_the_sensors_are(self) -> None:
        state, _, sensor = case(6, readings=3, bend=0.3)
        order = [2, 0, 1]
        readings = np.array([[1.0], [2.0], [-1.0]])
        turned_factor = np.linalg.cholesky((sensor.factor @ sensor.factor.T)[np.ix_(order, order)])
        plain = Filter().expect(state, sensor).update(readings)
        turned = Filter().expect(state, Bent(sensor.matrix[order], 0.3, turned_factor)).update(readings[order])
        np.testing.assert_allclose(turned.state.mean, plain.state.mean, rtol=1e-11)
        np.testing.assert_allclose(turned.state.covariance, plain.state.covariance, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(turned.nis, plain.nis, rtol=1e-11)

    @pytest.mark.parametrize(("reading", "side"), [(-1.0, -1), (0.5, -1), (1.5, 1), (-20.0, -1)])
    def test_below_or_above_what_a_sensor_shows_gives_the_moments_of_all_that_it_may_have_been(
        self, reading: float, side: int
    ) -> None:
        state, _, _ = case(7, size=1, readings=1)
        sensor = linear(np.array([[1.0]]), np.array([[0.5]]))
        updated = Filter().expect(state, sensor).update(np.array([[reading]]), np.array([[side]])).state
        mean, deviation = state.mean[0, 0], state.factor[0, 0, 0]
        true = np.linspace(mean - 30 * deviation, mean + 30 * deviation, 200_001)
        from scipy.special import log_ndtr

        weight = log_ndtr(-side * (reading - true) / np.sqrt(0.5)) - 0.5 * ((true - mean) / deviation) ** 2
        weight = np.exp(weight - weight.max())
        weight /= weight.sum()
        expected = (weight * true).sum()
        np.testing.assert_allclose(updated.mean[0, 0], expected, rtol=1e-6)
        np.testing.assert_allclose(updated.covariance[0, 0, 0], (weight * (true - expected) ** 2).sum(), rtol=1e-5)


@pytest.mark.parametrize(
    ("process", "size", "curved"),
    [
        (GlucoseProcess(Parameters(), np.array([[20.0], [2.0], [0.5]])), 6, 1),
        (DriftingProcess(GlucoseProcess(Parameters(), np.array([[20.0], [2.0], [0.5]])), Drift()), 7, 1),
        (VitalsProcess(), 6, 0),
        (Linear(np.diag([0.5, 2.0]), np.ones(2)), 2, 0),
    ],
)
def test_a_process_is_linear_but_where_it_says_that_it_is_curved(process: Process, size: int, curved: int) -> None:
    """Where it is, a pair of points lies about what becomes of their middle."""
    draw = np.random.default_rng(5)
    middle, apart = draw.normal(size=(size, 1, 1)), 0.5 * draw.normal(size=(size, 40, 1))
    moved = process.move(np.concatenate([middle + apart, middle - apart, middle], axis=1), np.full(1, 5.0))
    off = np.abs(moved[:, :40] + moved[:, 40:-1] - 2 * moved[:, -1:]).max(axis=(1, 2))
    rows = np.zeros(size, dtype=bool)
    rows[process.curved] = True
    assert rows.sum() == curved
    assert (off[rows] > 1e-6).all()
    assert (off[~rows] < 1e-10).all()

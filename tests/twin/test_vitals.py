"""Vital signs tell of each other."""

from __future__ import annotations

import numpy as np

from dtledger.twin import vitals
from dtledger.twin.filter import Filter, State
from dtledger.twin.vitals import CHANNELS, PROCESS, SENSOR

FILTER = Filter(1.0)
USUAL = np.array([80.0, 80.0, 16.0, 97.0, 120.0, 70.0])


def settled(minutes: int = 60) -> State:
    """Somebody whose monitor has shown the usual for an hour."""
    state = vitals.start(1)
    for _ in range(minutes):
        state = FILTER.predict(state, PROCESS, np.ones(1))
        state = FILTER.expect(state, SENSOR).update(USUAL[:, None]).state
    return state


def signs(state: State) -> np.ndarray:
    return SENSOR.read(state.mean[:, None])[:, 0, 0]


def test_a_sign_that_is_not_measured_follows_the_others() -> None:
    readings = USUAL + np.array([16.0, 16.0, 3.0, 0.0, 16.0, 8.0])
    readings[CHANNELS.index("systolic")] = np.nan
    expected = FILTER.expect(FILTER.predict(settled(), PROCESS, np.full(1, 5.0)), SENSOR)
    after = signs(expected.update(readings[:, None]).state)
    assert after[CHANNELS.index("systolic")] > 125


def test_signs_that_rise_together_surprise_less_than_one_that_rises_alone() -> None:
    expected = FILTER.expect(FILTER.predict(settled(), PROCESS, np.full(1, 5.0)), SENSOR)
    together = USUAL + np.array([16.0, 16.0, 3.0, -0.6, 16.0, 8.0])
    alone = USUAL + np.array([16.0, 16.0, 0.0, 0.0, 0.0, 0.0])
    assert expected.update(together[:, None]).nis[0] < expected.update(alone[:, None]).nis[0]


def test_a_pulse_that_is_not_the_hearts_rate_shows() -> None:
    expected = FILTER.expect(FILTER.predict(settled(), PROCESS, np.ones(1)), SENSOR)
    both, one = USUAL.copy(), USUAL.copy()
    both[:2] += 20
    one[1] += 20
    assert expected.update(one[:, None]).nis[0] > 1.2 * expected.update(both[:, None]).nis[0]


def test_a_full_saturation_is_at_least_that() -> None:
    readings = np.full((6, 1), np.nan)
    readings[3] = 100.0
    assert vitals.censored(readings)[3, 0] == 1
    expected = FILTER.expect(vitals.start(1), SENSOR)
    full, number = expected.update(readings, vitals.censored(readings)), expected.update(readings)
    assert full.state.factor[3, 3, 0] > number.state.factor[3, 3, 0]


def test_what_is_not_measured_grows_uncertain_by_itself_alone() -> None:
    state = settled()
    deviations = [FILTER.predict(state, PROCESS, np.array([m])).covariance[1, 1, 0] for m in (0.0, 30.0, 120.0)]
    assert deviations[0] < deviations[1] < deviations[2]

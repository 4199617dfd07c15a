"""Vital signs tell of each other."""

from __future__ import annotations

import numpy as np
import pytest

from dtledger.twin import vitals
from dtledger.twin.filter import Filter, State
from dtledger.twin.snapshot import VITALS, decode_state, encode_state
from dtledger.twin.vitals import CHANNELS, PROCESS, SENSOR

FILTER = Filter(1.0)
USUAL = np.array([80.0, 80.0, 16.0, 97.0, 120.0, 70.0])


def settled(minutes: int = 60) -> State:
    """Somebody whose monitor has shown the usual for an hour."""
    memory = vitals.start(1)
    for minute in range(minutes):
        memory = vitals.expect(memory, np.array([float(minute)])).take(USUAL[:, None]).memory
    return memory.state


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
    expected = FILTER.expect(vitals.start(1).state, SENSOR)
    full, number = expected.update(readings, vitals.censored(readings)), expected.update(readings)
    assert full.state.factor[3, 3, 0] > number.state.factor[3, 3, 0]


def test_what_is_not_measured_grows_uncertain_by_itself_alone() -> None:
    state = settled()
    deviations = [FILTER.predict(state, PROCESS, np.array([m])).covariance[1, 1, 0] for m in (0.0, 30.0, 120.0)]
    assert deviations[0] < deviations[1] < deviations[2]


def test_a_snapshot_restores_what_is_expected_bit_for_bit() -> None:
    memory = vitals.expect(vitals.start(1), np.array([5.0])).take(USUAL[:, None] + 3).memory
    found = decode_state(encode_state(VITALS, memory), VITALS).memory
    one, other = (vitals.expect(each, np.array([9.0])) for each in (memory, found))
    assert (one.mean == other.mean).all()
    assert (one.expected.factor == other.expected.factor).all()


def test_time_never_runs_back() -> None:
    memory = vitals.expect(vitals.start(1), np.array([5.0])).take(USUAL[:, None]).memory
    vitals.expect(memory, np.array([5.0]))
    with pytest.raises(ValueError, match="never runs back"):
        vitals.expect(memory, np.array([4.0]))

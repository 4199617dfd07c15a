"""Glucose behind a sensor that drifts."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from dtledger.twin import denoising, drifting
from dtledger.twin.drifting import Drift, DriftingProcess, DriftingSensor
from dtledger.twin.filter import Filter
from dtledger.twin.glucose import GlucoseProcess, Parameters
from scripts.evaluation import padova


def test_drift_that_fades_is_told_from_glucose_that_stays() -> None:
    """A sudden error of the sensor is believed less, the shorter its errors are known to last."""
    moved = []
    for minutes in (10.0, 1000.0):
        drift, known, elapsed = Drift(minutes, 10.0), Parameters(flow_deviation=0.3), np.full(1, 3.0)
        state, filter_ = drifting.start(1, known, drift), Filter()
        for reading in [120.0] * 100 + [150.0] * 5:
            process = DriftingProcess(GlucoseProcess(known, np.zeros((3, 1))), drift)
            predicted = filter_.predict(state, process, elapsed)
            state = filter_.expect(predicted, DriftingSensor(0.5)).update(np.array([[reading]])).state
        moved.append(state.mean[0, 0])
    assert 115 < moved[0] < moved[1] + 25
    assert abs(state.mean[0, 0] + state.mean[-1, 0] - 150) < 2


def walk(glucose: np.ndarray, meals: np.ndarray | None) -> float:
    """The error after a day of a sensor without noise, of what is announced or not."""
    memory, errors = denoising.start(1), []
    for i, reading in enumerate(glucose):
        meal = None if meals is None else meals[i : i + 1]
        memory, estimate = denoising.step(memory, np.full(1, 3.0), np.array([reading]), meal)
        errors.append(estimate[0] - reading)
    return float(np.sqrt(np.mean(np.square(errors[50:]))))


@pytest.mark.slow
def test_false_announcements_soon_count_for_little() -> None:
    """Meals that are announced and never eaten do worse than none, but less than to somebody who believes in them."""
    glucose = 120 + 20 * np.sin(np.arange(240) / 40)
    meals = np.where(np.arange(240) % 100 == 50, 60.0, 0.0)
    assert walk(glucose, meals) < walk(glucose, None) + 3.5


def test_a_missing_reading_moves_no_weight() -> None:
    memory = denoising.start(2)
    memory, _ = denoising.step(memory, np.full(2, 3.0), np.array([120.0, 120.0]))
    after, _ = denoising.step(memory, np.zeros(2), np.array([np.nan, 200.0]))
    assert (after.weights[:, 0] == memory.weights[:, 0]).all()
    assert (after.weights[:, 1] != memory.weights[:, 1]).all()


@pytest.mark.real_data
def test_the_virtual_patients_are_simglucoses() -> None:
    """Within what the file leaves open: in which of three minutes a meal began."""
    folder = Path(os.environ["DTLEDGER_DATA"], "simglucose")
    with gzip.open(folder / "tests_sim_results.csv.gz", "rt") as lines:
        rows = [row for row in csv.DictReader(lines) if row["CHO"]]
    patient, errors = padova.Patients(folder, ["adolescent#001"]), []
    for row in rows:
        errors.append(patient.glucose[0] - float(row["BG"]))
        for minute in range(3):
            meal = 3 * float(row["CHO"]) if minute == 2 else 0.0
            patient.minute(np.array([meal]), np.array([float(row["insulin"])]))
    assert np.abs(errors[:172]).max() < 1e-3
    assert np.abs(errors).max() < 1.0


@pytest.mark.real_data
def test_the_virtual_sensors_errors_are_as_alike_as_simglucoses() -> None:
    noise = padova.sensor_noise(Path(os.environ["DTLEDGER_DATA"], "simglucose"), 300, 1440, 1)
    alike = (noise[1:] * noise[:-1]).mean() / np.square(noise).mean()
    assert 0.975 < alike < 0.99

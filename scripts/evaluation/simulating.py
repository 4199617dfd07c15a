"""Days of the virtual patients: meals, boluses by their own ratios, and what a sensor would have read."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dtledger.twin.factors import Array

from .padova import Patients

EVERY = 3
"""Minutes between readings: simglucose's Dexcom."""
MEALS = ((7.0, 45.0, 1.0), (9.5, 10.0, 0.3), (12.0, 70.0, 1.0), (15.0, 10.0, 0.3), (18.0, 80.0, 1.0), (21.5, 10.0, 0.3))
"""Hour, g and how often, as in simglucose's random scenario."""


@dataclass(frozen=True, slots=True)
class Days:
    """(samples, patients): true glucose under the skin in mg/dL; g eaten and [iU] injected since the sample before."""

    names: list[str]
    truth: Array
    carbohydrate: Array
    insulin: Array


def live(folder: Path, days: int, seed: int) -> Days:
    """All thirty patients for some days, each with meals and errors in counting of its own."""
    draw, patients = np.random.default_rng(seed), Patients(folder)
    with (folder / "Quest.csv").open() as lines:
        quest = {row["Name"]: row for row in csv.DictReader(lines)}
    ratio = np.array([float(quest[name]["CR"]) for name in patients.names])
    correction = np.array([float(quest[name]["CF"]) for name in patients.names])
    count, minutes = len(patients.names), days * 1440
    meals = np.zeros((minutes, count))
    for day in range(days):
        for hour, grams, chance in MEALS:
            at = np.clip(day * 1440 + hour * 60 + draw.normal(0, 40, count), 0, minutes - 1).astype(int)
            eaten = np.maximum(draw.normal(grams, 10, count), 5).round() * (draw.random(count) < chance)
            size = np.where([name.startswith("child") for name in patients.names], 0.5, 1.0)
            meals[at, np.arange(count)] += (eaten * size).round()
    truth, taken, injected = [], [], []
    carbohydrate, insulin, bolused = np.zeros(count), np.zeros(count), np.full(count, -1e9)
    for minute in range(minutes):
        if minute % EVERY == 0:
            truth.append(patients.glucose)
            taken.append(carbohydrate)
            injected.append(insulin)
            carbohydrate, insulin = np.zeros(count), np.zeros(count)
        high = (patients.glucose > 150) & (minute - bolused > 180)
        bolus = meals[minute] / ratio + (meals[minute] > 0) * high * (patients.glucose - 140) / correction
        bolused = np.where(meals[minute] > 0, minute, bolused)
        patients.minute(meals[minute], patients.basal + bolus)
        carbohydrate, insulin = carbohydrate + meals[minute], insulin + bolus
    return Days(patients.names, np.stack(truth), np.stack(taken), np.stack(injected))

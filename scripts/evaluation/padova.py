"""The UVA/Padova patients of simglucose 0.2.11 (MIT), many at once: the truth that denoising is measured against.

The equations are Dalla Man's (IEEE TBME 2007) with the subcutaneous parts of the S2008 simulator, as `simglucose` has
them in `patient/t1dpatient.py`; parameters and the sensor's are the files in `simglucose/`. That they are the same is
shown on the expected run there (`tests/twin/test_denoising.py`). Steps of a fraction of a minute by Runge and Kutta's
fourth order.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from dtledger.twin.factors import Array

__all__ = ["EAT_RATE", "Patients", "sensor_noise"]

EAT_RATE = 5.0
"""g a minute."""
STEPS = 1
"""Of the solver in a minute."""


class Patients:
    """The patients of the given names, side by side; `basal` is each one's in [iU]/min."""

    def __init__(self, folder: Path, names: list[str] | None = None) -> None:
        with (folder / "vpatient_params.csv").open() as lines:
            rows = [row for row in csv.DictReader(lines) if names is None or row["Name"] in names]
        self.names = [row["Name"] for row in rows]
        self._known = {key: np.array([float(row[key]) for row in rows]) for key in rows[0] if key not in {"Name", "i"}}
        self.state = np.stack([self._known[f"x0_{i:2d}"] for i in range(1, 14)])
        self.basal = self._known["u2ss"] * self._known["BW"] / 6000
        self.weight = self._known["BW"]
        count = len(rows)
        self._meal, self._left = np.zeros(count), np.zeros(count)
        self._stomach, self._eating = np.zeros(count), np.zeros(count, dtype=bool)

    @property
    def glucose(self) -> Array:
        """Under the skin, mg/dL: what a sensor without noise reads."""
        return np.asarray(self.state[12] / self._known["Vg"])

    def minute(self, meal: Array, insulin: Array) -> None:
        """A minute in which a meal of so many g begins and [iU]/min are infused."""
        self._left = self._left + meal
        eaten = np.minimum(EAT_RATE, self._left)
        self._left = self._left - eaten
        begins = (eaten > 0) & ~self._eating
        self._stomach = np.where(begins, self.state[0] + self.state[1], self._stomach)
        self._meal = np.where(begins, 0.0, self._meal)
        self._eating = eaten > 0
        self._meal = self._meal + eaten
        step = 1 / STEPS
        for _ in range(STEPS):
            k1 = self._rates(self.state, eaten, insulin)
            k2 = self._rates(self.state + step / 2 * k1, eaten, insulin)
            k3 = self._rates(self.state + step / 2 * k2, eaten, insulin)
            k4 = self._rates(self.state + step * k3, eaten, insulin)
            self.state = self.state + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    def _rates(self, x: Array, eaten: Array, insulin: Array) -> Array:
        p, rates = self._known, np.empty_like(x)
        solid = x[0] + x[1]
        meal = self._stomach + self._meal * 1000
        safe = np.where(meal > 0, meal, 1.0)
        up = np.tanh(5 / (2 * safe * (1 - p["b"])) * (solid - p["b"] * meal))
        down = np.tanh(5 / (2 * safe * p["d"]) * (solid - p["d"] * meal))
        emptying = np.where(meal > 0, p["kmin"] + (p["kmax"] - p["kmin"]) / 2 * (up - down + 2), p["kmax"])
        rates[0] = -p["kmax"] * x[0] + eaten * 1000
        rates[1] = p["kmax"] * x[0] - emptying * x[1]
        rates[2] = emptying * x[1] - p["kabs"] * x[2]
        appearing = p["f"] * p["kabs"] * x[2] / p["BW"]
        produced = np.maximum(p["kp1"] - p["kp2"] * x[3] - p["kp3"] * x[8], 0)
        excreted = np.maximum(p["ke1"] * (x[3] - p["ke2"]), 0)
        rates[3] = produced + appearing - p["Fsnc"] - excreted - p["k1"] * x[3] + p["k2"] * x[4]
        used = (p["Vm0"] + p["Vmx"] * x[6]) * x[4] / (p["Km0"] + x[4])
        rates[4] = -used + p["k1"] * x[3] - p["k2"] * x[4]
        rates[5] = -(p["m2"] + p["m4"]) * x[5] + p["m1"] * x[9] + p["ka1"] * x[10] + p["ka2"] * x[11]
        plasma = x[5] / p["Vi"]
        rates[6] = p["p2u"] * (plasma - p["Ib"] - x[6])
        rates[7] = -p["ki"] * (x[7] - plasma)
        rates[8] = -p["ki"] * (x[8] - x[7])
        rates[9] = -(p["m1"] + p["m30"]) * x[9] + p["m2"] * x[5]
        rates[10] = insulin * 6000 / p["BW"] - (p["ka1"] + p["kd"]) * x[10]
        rates[11] = p["kd"] * x[10] - p["ka2"] * x[11]
        rates[12] = p["ksc"] * (x[3] - x[12])
        for i in (3, 4, 5, 9, 10, 11, 12):
            rates[i] = np.where(x[i] >= 0, rates[i], 0.0)
        return rates


def sensor_noise(folder: Path, count: int, minutes: int, seed: int, sensor: str = "Dexcom") -> Array:
    """The sensor's error in mg/dL, (samples, count): Breton and Kovatchev's (J Diabetes Sci Technol 2008) chain of
    values a quarter of an hour apart, bent by Johnson's S_U, with cubic curves between."""
    with (folder / "sensor_params.csv").open() as lines:
        known = next(row for row in csv.DictReader(lines) if row["Name"] == sensor)
    pacf, gamma, scale, delta, xi = (float(known[key]) for key in ("PACF", "gamma", "lambda", "delta", "xi"))
    draw = np.random.default_rng(seed)
    quarters = minutes // 15 + 4
    chain = np.empty((quarters, count))
    chain[0] = draw.normal(size=count)
    for i in range(1, quarters):
        chain[i] = pacf * (chain[i - 1] + draw.normal(size=count))
    bent = xi + scale * np.sinh((chain - gamma) / delta)
    at = np.arange(0, minutes, float(known["sample_time"])) / 15 + 1
    whole = at.astype(int)
    part = (at - whole)[:, None]
    before, first, last, after = (bent[whole + k] for k in (-1, 0, 1, 2))
    slope = (last - before) / 2
    bend = before - 2.5 * first + 2 * last - after / 2
    twist = 1.5 * (first - last) + (after - before) / 2
    return np.asarray(first + part * (slope + part * (bend + part * twist)))

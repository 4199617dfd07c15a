"""`scripts/evaluate denoise`: how near the twin comes to a virtual patient's true glucose, beside the raw sensor."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from dtledger.errors import InputError
from dtledger.twin import denoising
from dtledger.twin.factors import Array

from . import padova
from .asked import positive
from .goals import Goals
from .simulating import EVERY, Days, live

TEXT = "the filtered state beside simglucose's truth, on patients that nothing was fitted on"
CASES = {"cgm": (False, False), "announced": (True, True), "meals hidden": (False, True)}
"""Whether meals and whether insulin are announced."""
GOALS = {"cgm": (0.97, 0.75), "announced": (0.88, 0.90), "meals hidden": (1.0, 0.0)}
WARM = 480
"""Minutes that are not counted."""
SENSOR = (39.0, 600.0)
PATIENTS = 30


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--test", required=True, metavar="DIR:IDS", help="simglucose's folder and patients, 1 to 30")
    parser.add_argument(
        "--train", metavar="DIR:IDS", help="left out of the test; the package's beliefs are not refitted"
    )
    parser.add_argument("--sensors", type=positive, default=20, metavar="N", help="sensors a patient")
    parser.add_argument("--days", type=positive, default=2, metavar="N")


def run(options: argparse.Namespace) -> dict[str, Any]:
    folder, _, ids = options.test.partition(":")
    fitted = _numbers((options.train or "").partition(":")[2]) | set(range(1, PATIENTS + 1, 3))
    if not (Path(folder) / "vpatient_params.csv").is_file():
        raise InputError(f"{folder} is no folder of simglucose's parameters.", hint="docs/data.md says where it is.")
    chosen = np.array(sorted((_numbers(ids) or set(range(1, PATIENTS + 1))) - fitted)) - 1
    if not len(chosen):
        raise InputError("Nobody is left to test on.", hint="The beliefs were fitted on 1, 4, 7, … 28.")
    days, goals = live(Path(folder), options.days, options.seed), Goals()
    found: dict[str, Any] = {"verb": "denoise", "seed": options.seed, "patients": [days.names[i] for i in chosen]}
    raw, truth = _sensors(Path(folder), days, chosen, options.sensors, options.seed)
    for name, (meals, doses) in CASES.items():
        estimate = _filtered(days, chosen, options.sensors, raw, meals, doses)
        warm = WARM // EVERY
        own, rival = (np.sqrt(np.square(each - truth)[warm:].mean(axis=0)) for each in (estimate, raw))
        limit, most = GOALS[name]
        goals.at_most(f"{name}: RMSE of the raw sensor's", np.sqrt(np.mean(own**2) / np.mean(rival**2)), limit)
        if most:
            goals.at_least(f"{name}: of pairs of patient and sensor, better", float((own < rival).mean()), most)
        pairs = (len(chosen), options.sensors)
        found[name] = {
            "rmse": own.reshape(pairs),
            "raw": rival.reshape(pairs),
            "first": estimate[:, :: options.sensors],
        }
    print(f"{len(chosen)} patients with {options.sensors} sensors each, {options.days} days")
    print("\n".join(goals.lines))
    return found | {"goals": goals.rows, "truth": days.truth[:, chosen]}


def _sensors(folder: Path, days: Days, chosen: Array, sensors: int, seed: int) -> tuple[Array, Array]:
    """What each sensor reads of each patient, and the truth: (samples, patients · sensors)."""
    count = len(days.truth)
    truth = np.repeat(days.truth[:, chosen], sensors, axis=1)
    noise = padova.sensor_noise(folder, truth.shape[1], count * EVERY, seed + 1)
    return np.clip(truth + noise[:count], *SENSOR), truth


def _filtered(days: Days, chosen: Array, sensors: int, raw: Array, meals: bool, doses: bool) -> Array:
    carbohydrate, insulin = (np.repeat(each[:, chosen], sensors, axis=1) for each in (days.carbohydrate, days.insulin))
    memory, minutes, estimates = denoising.start(raw.shape[1]), np.full(raw.shape[1], float(EVERY)), []
    for reading, eaten, injected in zip(raw, carbohydrate, insulin, strict=True):
        memory, estimate = denoising.step(
            memory, minutes, reading, eaten if meals else None, injected if doses else None
        )
        estimates.append(estimate)
    return np.stack(estimates)


def _numbers(ids: str) -> set[int]:
    found: set[int] = set()
    for part in filter(None, ids.split(",")):
        first, _, last = part.partition("-")
        last = last or first
        if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= PATIENTS):
            raise InputError(f"{part} is none of the patients.", hint=f"They are 1 to {PATIENTS}: 2,3 or 2-6.")
        found |= set(range(int(first), int(last) + 1))
    return found

"""`scripts/evaluate denoise`: how near the twin comes to a virtual patient's true glucose, beside the raw sensor."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
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
FILES = ("vpatient_params.csv", "Quest.csv", "sensor_params.csv")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--test", required=True, metavar="DIR:IDS", help="simglucose's folder; patients by number, 1 to 30, or name"
    )
    parser.add_argument(
        "--train", metavar="DIR:IDS", help="left out of the test; the package's beliefs are not refitted"
    )
    parser.add_argument("--sensors", type=positive, default=20, metavar="N", help="sensors a patient")
    parser.add_argument("--days", type=positive, default=2, metavar="N")


def run(options: argparse.Namespace) -> dict[str, Any]:
    folder, _, ids = options.test.partition(":")
    if not all((Path(folder) / name).is_file() for name in FILES):
        raise InputError(f"{folder} is no folder of simglucose's parameters.", hint=f"It has {', '.join(FILES)}.")
    names = padova.Patients(Path(folder)).names
    fitted = _numbers((options.train or "").partition(":")[2], names) | set(range(1, len(names) + 1, 3))
    asked = _numbers(ids, names) or set(range(1, len(names) + 1))
    chosen = np.array(sorted(asked - fitted)) - 1
    if not len(chosen):
        raise InputError("Nobody is left to test on.", hint="The beliefs were fitted on 1, 4, 7, … 28.")
    if ids and asked & fitted:
        told = ", ".join(names[each - 1] for each in sorted(asked & fitted))
        print(f"left out: {told}: fitted on", file=sys.stderr)
    days, goals = live(Path(folder), options.days, options.seed), Goals()
    found: dict[str, Any] = {"verb": "denoise", "seed": options.seed, "patients": [days.names[i] for i in chosen]}
    pairs = (len(chosen), options.sensors)
    raw, truth = _sensors(Path(folder), days, chosen, options.sensors, options.seed)
    for name, (meals, doses) in CASES.items():
        estimate = _filtered(days, chosen, options.sensors, raw, meals, doses)
        warm = WARM // EVERY
        own, rival = (np.sqrt(np.square(each - truth)[warm:].mean(axis=0)) for each in (estimate, raw))
        limit, most = GOALS[name]
        goals.at_most(f"{name}: RMSE of the raw sensor's", np.sqrt(np.mean(own**2) / np.mean(rival**2)), limit)
        if most:
            goals.at_least(f"{name}: of pairs of patient and sensor, better", float((own < rival).mean()), most)
        found[name] = {
            "rmse": own.reshape(pairs),
            "raw": rival.reshape(pairs),
            "estimate": estimate.reshape(-1, *pairs),
        }
    print(f"{len(chosen)} patients with {options.sensors} sensors each, {options.days} days")
    print("\n".join(goals.lines))
    return found | {"goals": goals.rows, "truth": days.truth[:, chosen], "readings": raw.reshape(-1, *pairs)}


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


def _numbers(ids: str, names: Sequence[str]) -> set[int]:
    found: set[int] = set()
    for part in filter(None, ids.split(",")):
        first, _, last = (str(names.index(part) + 1), "", "") if part in names else part.partition("-")
        last = last or first
        if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= len(names)):
            hint = f"They are 1 to {len(names)}, 2,3 or 2-6, or {names[1]}."
            raise InputError(f"{part} is none of the patients.", hint=hint)
        found |= set(range(int(first), int(last) + 1))
    return found

"""Vital signs of one recording: thresholds from its first half, false data in its second.

    scripts/evaluate vitals --test RECORD [--json FILE]      RECORD is a WFDB record's path without its suffix

One recording is one person: what is found says how the gate works there, and nothing of others.
"""

from __future__ import annotations

import argparse
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from dtledger._backend.queue_file import Kept
from dtledger.errors import InputError
from dtledger.gateway.known import Known
from dtledger.gateway.vital_signs import begin
from dtledger.gateway.vital_signs import lead as through
from dtledger.readings import DIASTOLIC, SUSPECT, SYSTOLIC, Reading
from dtledger.readings import PULSE as LIGHT
from dtledger.twin import batch
from dtledger.twin import vitals_gate as gate
from dtledger.twin.factors import Array
from dtledger.twin.vitals import CHANNELS
from dtledger.twin.vitals_gate import DETECTORS, HEART, PULSE, Memory, Thresholds

from .calibrating import quantile

TEXT = "false vital signs in the second half of one recording, with thresholds of its first"
NAMES = ("HR", "PULSE", "RESP", "SpO2", "NBPSys", "NBPDias")
"""The record's of CHANNELS."""
READINGS = (
    ("heart-rate", "/min", ""),
    ("heart-rate", "/min", LIGHT),
    ("respiration", "/min", ""),
    ("spo2", "%", ""),
    ("blood-pressure", "mm[Hg]", SYSTOLIC),
    ("blood-pressure", "mm[Hg]", DIASTOLIC),
)
"""Category, unit and word of each as a gateway's reading."""
WINDOW = 30
"""Readings, a minute apart."""
LEAST_WINDOWS = 12
"""In each half: two to begin with, and some that teach."""
NOMINAL = (0.01, 0.05)
LEAST = 12.0
"""Of a level: what a calm morning teaches would not hold in the afternoon."""
NEVER = Thresholds(math.inf, math.inf, math.inf)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--test", required=True, metavar="RECORD", help="a WFDB record of numerics, a minute apart")


def run(options: argparse.Namespace) -> dict[str, Any]:
    minutes, readings = recording(options.test)
    half = len(minutes) // 2 // WINDOW * WINDOW
    if half < LEAST_WINDOWS * WINDOW:
        raise InputError(f"The record is too short: {2 * LEAST_WINDOWS * WINDOW} minutes are needed.")
    gateways = as_a_gateway(minutes, readings)
    scores, memories = lead(minutes, readings)
    per_window = scores[: len(scores) // WINDOW * WINDOW].reshape(-1, WINDOW, len(DETECTORS)).max(axis=1)
    first, second = per_window[2 : half // WINDOW], per_window[half // WINDOW :]
    starts = half + WINDOW * np.arange(len(second))
    memory = batch.join([memories[at] for at in starts])
    values = np.stack([readings[at : at + WINDOW] for at in starts], axis=2)
    times = np.stack([minutes[at : at + WINDOW] for at in starts], axis=1)
    found: dict[str, Any] = {"verb": "vitals", "windows": len(second), "zeros": int((readings == 0).sum())}
    found["gateway"] = gateways
    for nominal in NOMINAL:
        share = nominal / (len(DETECTORS) - 1)
        levels = [max(quantile(each, np.ones(len(first)), share), LEAST) for each in first[:, 1:].T]
        found[str(nominal)] = {"levels": levels, "false": _over(second, levels)}
        for name, attack in ATTACKS.items():
            attacked = greatest(memory, times, attack(values))
            found[str(nominal)][name] = _over(attacked, levels)
            found.setdefault("scores", {})[name] = attacked
    print(f"{len(second)} windows of {WINDOW} min; {found['zeros']} zeros, none of which became a reading")
    told = "a gateway marks {marked} of {readings} readings, {otherwise} of them otherwise than the gate by itself"
    print(told.format(**gateways))
    for nominal in NOMINAL:
        told = ", ".join(f"{name} {share:.2f}" for name, share in found[str(nominal)].items() if name != "levels")
        print(f"nominal {nominal:.0%}: {told}")
    return found


def recording(path: str) -> tuple[Array, Array]:
    """Minutes from the start, and (rows, 6) readings.

    Raises:
        InputError: it is not a record of these signs.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, on what wfdb does at import
        import wfdb
    try:
        record = wfdb.rdrecord(path)
        columns = [record.sig_name.index(name) for name in NAMES]
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} is no record of {', '.join(NAMES)}.", hint="Say its path without a suffix."
        ) from error
    return np.arange(len(record.p_signal)) / (60 * record.fs), record.p_signal[:, columns]


def lead(minutes: Array, readings: Array) -> tuple[Array, list[Memory]]:
    """Each reading's greatest scores, (rows, DETECTORS), and the memory before each."""
    memory, memories, scores = gate.start(1), [], []
    for minute, signs in zip(minutes, readings, strict=True):
        memories.append(memory)
        judged = gate.take(NEVER, memory, np.full(1, minute), signs[:, None])
        memory = judged.memory
        scores.append(judged.scores.max(axis=(1, 2)))
    return np.stack(scores), memories


def as_a_gateway(minutes: Array, readings: Array) -> dict[str, int]:
    """How many readings the package's thresholds mark on a gateway's own path, and how many otherwise than here."""
    memory, direct, new = gate.start(1), [], []
    for row, (minute, signs) in enumerate(zip(minutes, readings, strict=True)):
        judged = gate.take(Thresholds(), memory, np.full(1, minute), signs[:, None])
        memory = judged.memory
        for channel, value in enumerate(signs.tolist()):
            if value > 0:
                category, unit, word = READINGS[channel]
                reading = Reading(round(60 * minute), value, unit, 0, word)
                new.append((category, reading, Kept(len(CHANNELS) * row + channel, 0, b"", None, None, None), ""))
                direct.append(bool(judged.suspect[channel, 0]))
    life = begin(Known(0), new)
    through(Thresholds(), [life], gate.start(1))
    marked = [SUSPECT in life.verdicts[row.number][1][0].split() for _, _, row, _ in new]
    otherwise = sum(one != other for one, other in zip(marked, direct, strict=True))
    return {"readings": len(new), "marked": sum(marked), "otherwise": otherwise}


def greatest(memory: Memory, minutes: Array, values: Array) -> Array:
    """(windows, DETECTORS) of windows side by side."""
    best = np.full((len(DETECTORS), values.shape[2]), -np.inf)
    for at, signs in zip(minutes, values, strict=True):
        judged = gate.take(NEVER, memory, at, signs)
        memory, best = judged.memory, np.maximum(best, judged.scores.max(axis=1))
    return best.T


def _over(scores: Array, levels: list[float]) -> float:
    return float(((scores[:, 1:] > levels).any(axis=1) | (scores[:, 0] > 0)).mean())


def _shifted(*channels: int, size: float) -> Callable[[Array], Array]:
    def made(values: Array) -> Array:
        changed = values.copy()
        for channel in channels:
            changed[:, channel] += size * (values[:, channel] > 0)
        return changed

    return made


def _stuck(values: Array) -> Array:
    changed = values.copy()
    changed[:, HEART] = np.where(values[:, HEART] > 0, values[0, HEART], values[:, HEART])
    return changed


def _drift(values: Array) -> Array:
    changed = values.copy()
    changed[:, PULSE] += (values[:, PULSE] > 0) * np.arange(1.0, WINDOW + 1)[:, None]
    return changed


ATTACKS: dict[str, Callable[[Array], Array]] = {
    "heart rate stuck": _stuck,
    "heart rate +20": _shifted(HEART, size=20.0),
    "heart rate and pulse +20": _shifted(HEART, PULSE, size=20.0),
    "pulse drifts by 1 a minute": _drift,
}

"""Thresholds of a gate, from the greatest scores of other people's clean two hours."""

from __future__ import annotations

import math

import numpy as np

from dtledger.twin.factors import Array
from dtledger.twin.gate import DETECTORS, HARD, Thresholds

NOMINAL = (0.01, 0.05)
TAIL = 0.05
"""The share of windows whose scores tell how a tail falls."""
LEAST = 1e-3
SHARES = {
    "bias": 1.5,
    "ramp": 1.0,
    "scale": 0.3,
    "noise": 0.2,
    "stuck": 0.2,
    "replay": 0.2,
    "daily replay": 0.3,
    "joined replay": 0.1,
    "daily joined replay": 1.0,
}
"""Of false alarms; the greater one's share, the sooner it speaks."""


def calibrate(name: str, raw: Array, weights: Array, nominal: float = 0.01) -> Thresholds:
    """From raw scores (DETECTORS, windows), and how much each window counts."""
    tails = tuple(tail(scores, weights) for scores in raw[HARD:])
    found = Thresholds(name, tails, tuple(SHARES[each] for each in DETECTORS[HARD:]))
    score = found.score(raw).max(axis=0)
    levels = tuple((each, quantile(score, weights, each)) for each in NOMINAL)
    return Thresholds(name, tails, found.shares, levels).at(nominal)


def tail(scores: Array, weights: Array) -> tuple[float, float]:
    """Which score a twentieth exceed, and their mean excess: the slope of an exponential tail."""
    order = np.argsort(scores)
    above = np.cumsum(weights[order][::-1])[::-1] / weights.sum()
    begin = float(scores[order][np.searchsorted(-above, -TAIL)])
    over = scores > begin
    excess = float(np.average(scores[over] - begin, weights=weights[over])) if over.any() else LEAST
    return begin, max(excess, LEAST)


def quantile(scores: Array, weights: Array, share: float) -> float:
    """Which score that share exceeds, by the tail that falls from where a twentieth does."""
    begin, slope = tail(scores, weights)
    return begin + slope * math.log(TAIL / share)

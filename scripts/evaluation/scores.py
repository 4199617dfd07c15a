"""What predictions come to: errors, coverage, the interval score, and the filter's consistency."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import numpy as np

from dtledger.twin.factors import Array

LEVELS = {95: (0, 5), 80: (1, 4), 50: (2, 3)}
"""Per cent, and which quantiles are the ends."""
NAMES = ("15", "30", "60")


def summary(people: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """By horizon, over all people and for each."""
    pooled = {name: _scores([each]) for name, each in people.items()}
    nis = np.concatenate([each["nis"] for each in people.values()])
    return {
        "origins": sum(len(each["actual"]) for each in people.values()),
        "all": _scores(list(people.values())),
        "each": pooled,
        "nis": {"all": float(np.nanmean(nis)), **{n: float(np.nanmean(each["nis"])) for n, each in people.items()}},
        "better_at_60": sum(each["60"]["ratio"] < 1 for each in pooled.values()),
    }


def _scores(people: list[Mapping[str, Any]]) -> dict[str, Any]:
    actual, mean, quantiles = (np.concatenate([p[name] for p in people]) for name in ("actual", "mean", "quantiles"))
    rival = np.concatenate([each["ar6"] for each in people])
    still = np.concatenate([each["persistence"] for each in people])
    wide = np.concatenate([np.broadcast_to(each["ar6_deviation"], each["ar6"].shape) for each in people])
    reach = NormalDist().inv_cdf(0.9) * wide
    scores = {}
    for k, name in enumerate(NAMES):
        truth, ends = actual[:, k], quantiles[:, k]
        own, ar6 = _rmse(mean[:, k] - truth), _rmse(rival[:, k] - truth)
        interval = winkler(truth, ends[:, 1], ends[:, 4], 0.2)
        gaussian = winkler(truth, rival[:, k] - reach[:, k], rival[:, k] + reach[:, k], 0.2)
        scores[name] = {
            "rmse": own,
            "ar6": ar6,
            "persistence": _rmse(still[:, k] - truth),
            "ratio": own / ar6,
            "coverage": {
                str(level): float(((ends[:, low] <= truth) & (truth <= ends[:, high])).mean() * 100)
                for level, (low, high) in LEVELS.items()
            },
            "winkler": interval,
            "winkler_ar6": gaussian,
            "winkler_ratio": interval / gaussian,
        }
    return scores


def winkler(truth: Array, low: Array, high: Array, missing: float) -> float:
    """The mean interval score (Winkler, JASA 1972): width, and 2/α for each unit by which the truth lies outside."""
    outside = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    return float((high - low + 2 / missing * outside).mean())


def _rmse(error: Array) -> float:
    return float(np.sqrt(np.square(error).mean()))

"""A prior from recordings of other people. What is chosen, is chosen by leaving one of them out in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dtledger.twin import features, personal
from dtledger.twin.factors import Array
from dtledger.twin.features import SCALES
from dtledger.twin.glucose import Parameters
from dtledger.twin.prior import Prior

from .recording import Recording

RIDGES = (1.0, 5.0, 20.0)
DEVIATIONS = (0.03, 0.06, 0.1, 0.15)
OTHERS = 0.5
"""How much a reading of the further sets' people counts."""
WARM = 96
"""Rows of each person that tell nothing of spreads yet: a day."""


class Grams:
    """Each person's sums of squares, made once: any set of people is then fitted by one solution."""

    def __init__(self, recordings: Mapping[str, Recording]) -> None:
        self.recordings = recordings
        self._sums: dict[str, list[tuple[Array, Array]]] = {}
        for name, each in recordings.items():
            rows = [~np.isnan(change) for change in each.change]
            self._sums[name] = [
                (each.features[row].T @ each.features[row], each.features[row].T @ change[row])
                for row, change in zip(rows, each.change, strict=True)
            ]

    def weights(self, main: Sequence[str], others: Sequence[str], ridge: float) -> Array:
        """(3, FEATURES) by ridge regression."""
        solved = []
        for k in range(len(SCALES)):
            square = sum(self._sums[name][k][0] for name in main) + OTHERS * sum(self._sums[n][k][0] for n in others)
            product = sum(self._sums[name][k][1] for name in main) + OTHERS * sum(self._sums[n][k][1] for n in others)
            own = np.diag(np.asarray(square)) * 1e-3 + 1.0
            solved.append(np.linalg.solve(square + ridge * np.diag(own), product))
        return np.stack(solved)


def fit(grams: Grams, main: Sequence[str], others: Sequence[str], name: str) -> Prior:
    """The prior of people `main`, and of `others`, who count less."""
    left_out = {
        ridge: {person: _rough(grams, _but(main, person), others, ridge, person) for person in main} for ridge in RIDGES
    }
    ridge = min(RIDGES, key=lambda each: _missed(grams, left_out[each]))
    errors = {each: _corrected(grams, left_out[ridge], each) for each in DEVIATIONS}
    deviation = min(DEVIATIONS, key=lambda each: np.nanmean(np.square(np.concatenate(list(errors[each]), axis=1))))
    spread, quantiles, usual = _spreads(grams, left_out[ridge], errors[deviation])
    weights = grams.weights(main, others, ridge)
    return Prior(name, 1, weights, spread, quantiles, usual, deviation, Parameters())


def _but(main: Sequence[str], person: str) -> list[str]:
    return [name for name in main if name != person] or [person]


def _rough(grams: Grams, main: Sequence[str], others: Sequence[str], ridge: float, person: str) -> Array:
    return grams.weights(main, others, ridge) @ grams.recordings[person].features.T


def _missed(grams: Grams, rough: Mapping[str, Array]) -> float:
    errors = [(grams.recordings[name].change - each) / SCALES for name, each in rough.items()]
    return float(np.nanmean(np.square(np.concatenate(errors, axis=1))))


def _corrected(grams: Grams, rough: Mapping[str, Array], deviation: float) -> list[Array]:
    """Each person's errors (3, rows) after its own corrections, in SCALES, as they would have come."""
    people = [(grams.recordings[name], each) for name, each in rough.items()]
    longest = max(len(each.minutes) for each, _ in people)
    inputs = np.zeros((longest, 3, personal.TERMS, len(people)))
    error, mate = np.full((longest, 3, len(people)), np.nan), np.full((longest, 3, len(people)), -1)
    for i, (each, guess) in enumerate(people):
        count = len(each.minutes)
        inputs[:count, :, :, i] = features.personal(guess, each.basis.T).transpose(2, 0, 1)
        error[:count, :, i] = ((each.change - guess) / SCALES).T
        mate[:count, :, i] = each.mate.T
    known = personal.start(len(people), deviation, np.zeros((3, len(personal.LEVELS))))
    rows, twins = np.arange(3)[:, None], np.arange(len(people))
    corrected = np.empty_like(error)
    for now in range(longest):
        past = mate[now]
        come = np.where(past >= 0, error[past, rows, twins], np.nan)
        before = inputs[past, rows, :, twins].transpose(0, 2, 1)
        known = personal.learn(known, before, come, np.zeros_like(come), np.ones((3, 1)))
        corrected[now] = error[now] - personal.correction(known, inputs[now])
    return [corrected[: len(each.minutes), :, i].T for i, (each, _) in enumerate(people)]


def _spreads(grams: Grams, rough: Mapping[str, Array], errors: Sequence[Array]) -> tuple[Array, Array, Array]:
    """What the size of errors is linear in, the quantiles of errors so scaled, and their mean size."""
    rows, missed = [], []
    for (name, guess), error in zip(rough.items(), errors, strict=True):
        each = grams.recordings[name]
        spread = features.spread(features.clock_of(each.minutes), guess, each.basis.T, each.volatility)
        rows.append(spread[:, :, WARM:])
        missed.append(error[:, WARM:])
    design, error = np.concatenate(rows, axis=2), np.concatenate(missed, axis=1)
    weights, quantiles, usual = [], [], []
    for k in range(len(SCALES)):
        come = ~np.isnan(error[k])
        x, e = design[k][:, come].T, error[k][come]
        size = np.log(np.abs(e) + 0.03)
        solved = np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ size)
        scaled = e / np.exp(np.clip(x @ solved, -3, 3))
        weights.append(solved)
        quantiles.append(np.quantile(scaled, personal.LEVELS))
        usual.append(np.minimum(np.abs(scaled), personal.FARTHEST).mean())
    return np.stack(weights), np.stack(quantiles), np.array(usual)

"""The model: logistic regression, as a site trains it.

The settings are FLamby's for Fed-Heart-Disease: a hundred steps a round of plain gradient descent on four patients
each, and for comparison all patients in one place with Adam (Kingma and Ba 2015) for fifty epochs. FLamby's table has
FedAvg at a rate of 0.001, which is too slow for fifteen rounds; 0.01 is another of the rates that it tried.

Each hospital scales its patients by their own mean and deviation to train. The metric is FLamby's too: of all
hospitals' test patients together the share that the model gets right, all scaled as one population, by the mean and the
deviation of all who are trained on, which the hospitals' sums give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .patients import Patients, Row, columns_of

Weights = dict[str, NDArray[np.float32]]

ROUNDS, STEPS, BATCH, RATE = 15, 100, 4, 0.01
POOLED_EPOCHS, POOLED_RATE = 50, 0.001


@dataclass(frozen=True, slots=True)
class Moments:
    """How many patients, and of each column the sum and the sum of squares: those of several hospitals add up.

    Warning: they are told as they are, without noise.
    """

    count: int
    sums: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Moments:
        columns = columns_of(rows).astype(np.float64)
        return cls(len(rows), columns.sum(axis=0), (columns**2).sum(axis=0))

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.count + other.count, self.sums + other.sums, self.squares + other.squares)


@dataclass(frozen=True, slots=True)
class Scale:
    """The mean and the deviation of each column among some patients."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Scale:
        return cls.from_moments(Moments.of(rows))

    @classmethod
    def from_moments(cls, told: Moments) -> Scale:
        mean = told.sums / told.count
        variance = np.maximum(told.squares - told.count * mean**2, 0) / max(told.count - 1, 1)
        deviation = np.sqrt(variance)
        deviation[deviation < 1e-6 * np.maximum(np.abs(mean), 1)] = 1  # one value for all
        return cls(mean.astype(np.float32), deviation.astype(np.float32))

    def scaled(self, rows: Sequence[Row]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Columns and diagnoses."""
        given: NDArray[np.float32] = (columns_of(rows) - self.mean) / self.deviation
        return given, np.array([row[-1] for row in rows], np.float32)


def first_weights(columns: int, seed: int) -> Weights:
    """Where training starts: uniform within one over the root of the columns."""
    dice, bound = np.random.default_rng(seed), columns**-0.5
    return {
        "coef": dice.uniform(-bound, bound, columns).astype(np.float32),
        "intercept": dice.uniform(-bound, bound, 1).astype(np.float32),
    }


def train(weights: Weights, rows: Sequence[Row], seed: Sequence[int]) -> Weights:
    """A site's part of a round, from the round's weights; `seed` settles the order of the patients."""
    given, sick = Scale.of(rows).scaled(rows)
    coef, intercept = weights["coef"].copy(), weights["intercept"].copy()
    batches = _batches(len(rows), np.random.default_rng(list(seed)))
    for _ in range(STEPS):
        some = next(batches)
        error = _chance(given[some], coef, intercept) - sick[some]
        coef -= np.float32(RATE) * (given[some].T @ error) / np.float32(len(some))
        intercept -= np.float32(RATE) * error.mean(dtype=np.float32)
    return {"coef": coef, "intercept": intercept}


def train_pooled(every: Sequence[Patients], seed: int) -> Weights:
    """All hospitals' patients in one place: what federation is measured against."""
    rows = [row for each in every for row in each.train]
    given, sick = Scale.of(rows).scaled(rows)
    weights: dict[str, Any] = first_weights(given.shape[1], seed)
    first = {name: np.zeros_like(each) for name, each in weights.items()}
    second = {name: np.zeros_like(each) for name, each in weights.items()}
    batches = _batches(len(sick), np.random.default_rng([seed, 1]))
    for step in range(1, POOLED_EPOCHS * -(-len(sick) // BATCH) + 1):
        some = next(batches)
        error = _chance(given[some], weights["coef"], weights["intercept"]) - sick[some]
        slope = {"coef": given[some].T @ error / len(some), "intercept": error.mean(keepdims=True)}
        for name, each in slope.items():
            first[name] = 0.9 * first[name] + 0.1 * each
            second[name] = 0.999 * second[name] + 0.001 * each**2
            root = np.sqrt(second[name] / (1 - 0.999**step)) + 1e-8
            weights[name] = weights[name] - POOLED_RATE * first[name] / (1 - 0.9**step) / root
    return {name: each.astype(np.float32) for name, each in weights.items()}


def correct(weights: Weights, scale: Scale, rows: Sequence[Row]) -> int:
    """How many of these patients the model gets right."""
    given, sick = scale.scaled(rows)
    right = (_chance(given, weights["coef"], weights["intercept"]) > 0.5) == (sick > 0.5)
    return int(right.sum())


def pooled_accuracy(weights: Weights, every: Sequence[Patients]) -> float:
    """FLamby's metric."""
    rows = [row for each in every for row in each.test]
    return correct(weights, Scale.of([row for each in every for row in each.train]), rows) / len(rows)


def _chance(given: NDArray[Any], coef: NDArray[Any], intercept: NDArray[Any]) -> NDArray[Any]:
    chance: NDArray[Any] = 1 / (1 + np.exp(-np.clip(given @ coef + intercept, -60, 60)))
    return chance


def _batches(patients: int, dice: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Four patients at a time, all of them in a new order again and again."""
    while True:
        order = dice.permutation(patients)
        for start in range(0, patients, BATCH):
            yield order[start : start + BATCH]

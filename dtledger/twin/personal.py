"""What one person teaches its twin: how forecasts of all people must be corrected for it, and how wide an interval is.

The correction is Bayesian linear regression, one reading at a time (recursive least squares), from a prior whose size
was fitted on other people; each horizon learns when what it foretold has come. Intervals are quantiles of the scaled
errors: first those of other people, then moved up when an error lies above and down when it lies below, as often as the
level demands (Gibbs and Candès, NeurIPS 2021): in the long run each covers what it says, whatever the errors are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .factors import Array

__all__ = ["LEVELS", "TERMS", "Personal", "correction", "learn", "start"]

TERMS = 10
"""Of a correction: rows of features.personal."""
LEVELS = (0.025, 0.1, 0.25, 0.75, 0.9, 0.975)
"""Of the quantiles: the ends of intervals of 95, 80 and 50 %."""
NOISE = np.array([1.0, 1.5, 2.0])[:, None]
"""The errors' deviation by horizon in units of features.SCALES, greater than it is because near errors are alike."""
STEP = 0.03
"""How far a quantile moves for an error on its wrong side."""
SCALE_READINGS = 100.0
"""How many errors the personal scale is a mean of."""
FARTHEST = 4.0
"""Of an error, in scales, that moves the personal scale."""
FEW = 32
"""Twins."""

_LEVELS = np.array(LEVELS)[:, None]


@dataclass(frozen=True, slots=True)
class Personal:
    """`terms` (3, TERMS, twins) and their covariance (3, TERMS, TERMS, twins), `quantiles` (3, 6, twins), and `scale`
    (3, twins), by which other people's spread is multiplied."""

    terms: Array
    covariance: Array
    quantiles: Array
    scale: Array


def start(twins: int, deviation: float | Array, quantiles: Array) -> Personal:
    """Nobody in particular: terms differ among people by `deviation`; `quantiles` (3, 6) are other people's."""
    eye = np.broadcast_to(np.eye(TERMS)[None, :, :, None] * np.square(deviation), (3, TERMS, TERMS, twins))
    begin = quantiles if quantiles.ndim == 3 else np.repeat(quantiles[:, :, None], twins, axis=2)
    return Personal(
        np.zeros((3, TERMS, twins)),
        eye.copy(),
        begin.copy(),
        np.ones((3, twins)),
    )


def correction(personal: Personal, inputs: Array) -> Array:
    """(3, twins), in units of features.SCALES, for inputs (3, TERMS, twins)."""
    return np.asarray((personal.terms * inputs).sum(axis=1))


def learn(personal: Personal, inputs: Array, error: Array, scaled: Array, usual: Array) -> Personal:
    """What is known after errors.

    Args:
        inputs: (3, TERMS, twins) of what was forecast.
        error: (3, twins) of the forecast of all people, in units of features.SCALES; NaN where none has come.
        scaled: (3, twins), the corrected forecast's, in units of its foretold spread.
        usual: other people's mean of its size, (3, 1) or (3, twins).
    """
    come = ~np.isnan(error)
    product = np.einsum("kijt,kjt->kit", personal.covariance, inputs)
    weight = come / (NOISE**2 + (product * inputs).sum(axis=1))
    miss = np.where(come, error, 0.0) - correction(personal, inputs)
    terms = personal.terms + product * (weight * miss)[:, None]
    weighted = product * weight[:, None]
    if error.shape[1] <= FEW:
        covariance = personal.covariance - product[:, :, None] * weighted[:, None]
    else:
        covariance = personal.covariance.copy()
        for i in range(TERMS):  # row by row: the whole outer product would not fit into the cache
            covariance[:, i] -= product[:, i, None] * weighted
    known = np.where(come, scaled, 0.0)
    relative = known / personal.scale
    below = relative[:, None] < personal.quantiles
    quantiles = personal.quantiles + STEP * (_LEVELS - below) * come[:, None]
    size = np.minimum(np.abs(relative), FARTHEST) / usual - 1
    scale = personal.scale * (1 + come * size / SCALE_READINGS)
    return Personal(terms, covariance, quantiles, scale)

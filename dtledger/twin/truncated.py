"""A normal variable of which only a side is known: what a sensor says that shows "Low".

>>> mean, variance = moments(np.array([0.0]))
>>> round(float(mean[0]), 6), round(float(variance[0]), 6)
(-0.797885, 0.36338)
"""

from __future__ import annotations

import math

import numpy as np

from .factors import Array

__all__ = ["moments"]

_FAR = -8.0
"""Below it the tail is taken from its continued fraction: the difference of near numbers would lose all digits."""

_erfc = np.frompyfunc(math.erfc, 1, 1)


def moments(limit: Array) -> tuple[Array, Array]:
    """Mean and variance of a standard normal variable given that it is at most `limit`.

    The mean is −λ and the variance 1 − λ(λ + limit), with λ = φ/Φ the inverse Mills ratio (Tobin, Econometrica 1958);
    far out λ by Laplace's continued fraction.
    """
    limit = np.asarray(limit, dtype=np.float64)
    near = np.maximum(limit, _FAR)
    below = 0.5 * np.asarray(_erfc(-near / math.sqrt(2)), dtype=np.float64)
    ratio = np.exp(-0.5 * near * near) / math.sqrt(2 * math.pi) / below
    variance = 1 - ratio * (ratio + near)
    far = limit < _FAR
    if far.any():
        x = np.where(far, -limit, 1.0)
        excess = np.zeros_like(x)
        for k in range(30, 0, -1):
            excess = k / (x + excess)
        ratio = np.where(far, x + excess, ratio)
        variance = np.where(far, 1 - (x + excess) * excess, variance)
    return -ratio, np.clip(variance, 0.0, 1.0)

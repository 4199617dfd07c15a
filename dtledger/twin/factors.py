"""Triangular square roots of many small matrices at once, the twins along the last axis.

A covariance is kept as its lower-triangular factor L with L Lᵀ, so it cannot cease to be symmetric or positive. All
changes are orthogonal transformations (`triangular`, `bordered`), no downdate that might fail.

>>> columns = np.array([[3.0, 4.0], [0.0, 5.0]])[:, :, None]
>>> print(np.round(covariance(triangular(columns))[:, :, 0], 12))
[[25. 20.]
 [20. 25.]]
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "bordered", "covariance", "diagonal", "triangular"]

Array = npt.NDArray[np.float64]


def triangular(columns: Array) -> Array:
    """The lower-triangular L, its diagonal not negative, with L Lᵀ = A Aᵀ.

    By LAPACK's Householder reflections (Golub and Van Loan, Matrix Computations, 5.2) of each twin's Aᵀ by itself, so
    that a twin's bits do not depend on those beside it.

    Args:
        columns: A, of shape (rows, columns, twins), at least as many columns as rows.

    Returns:
        (rows, rows, twins).
    """
    if len(columns) == 1:
        return np.asarray(np.sqrt(np.square(columns).sum(axis=1, keepdims=True)))
    lower = np.asarray(np.linalg.qr(columns.transpose(2, 1, 0), mode="r"), dtype=np.float64).transpose(2, 1, 0)
    places = range(len(lower))
    return np.asarray(lower * np.copysign(1.0, lower[places, places]), order="C")


def bordered(columns: Array) -> Array:
    """The same L of one row over a factor: A is (1 + n, n + 1, twins), its lower left n by n lower triangular, and its
    last column stands in the first row alone and is not 0.

    By n Givens rotations of the last column with each other (Golub and Van Loan, 5.1.8), of all twins at once.
    """
    row = columns[0]
    lower = np.zeros_like(columns)
    lower[1:, 1:] = columns[1:, :-1]
    lower[0, 0] = np.abs(row[-1])
    for place in range(len(row) - 1, 0, -1):
        length = np.sqrt(np.square(lower[0, 0]) + np.square(row[place - 1]))
        cosine, sine = lower[0, 0] / length, row[place - 1] / length
        first, other = lower[place:, 0], lower[place:, place]
        turned = cosine * other - sine * first
        lower[place:, 0] = cosine * first + sine * other
        lower[place:, place] = turned
        lower[0, 0] = length
    return lower


def diagonal(deviations: Array) -> Array:
    """The factor of independent parts: their standard deviations, (n, twins), on the diagonal of (n, n, twins)."""
    count = len(deviations)
    matrix = np.zeros((count, count, *deviations.shape[1:]))
    matrix[range(count), range(count)] = deviations
    return matrix


def covariance(factor: Array) -> Array:
    """L Lᵀ of (n, n, twins); symmetric to the last bit."""
    return np.asarray((factor[:, None] * factor[None]).sum(axis=2))

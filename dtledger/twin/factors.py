"""Triangular square roots of many small matrices at once, the twins along the last axis.

A covariance is kept as its lower-triangular factor L with L Lᵀ, so it cannot cease to be symmetric or positive. All
changes are orthogonal transformations (`triangular`, `bordered`), no downdate that might fail.

>>> columns = np.array([[3.0, 4.0], [0.0, 5.0]])[:, :, None]
>>> print(np.round(covariance(triangular(columns))[:, :, 0], 12))
[[25. 20.]
 [20. 25.]]
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Short", "bordered", "covariance", "diagonal", "triangular"]

Array = npt.NDArray[np.float64]
Short = npt.NDArray[np.float32]
"""Of what there is so much of that half as long numbers are worth it, and no more digits are needed."""

_LOWER = np.tri(64, dtype=bool)[:, :, None]


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
    count = len(columns)
    reflected, _ = np.linalg.qr(columns.transpose(2, 1, 0), mode="raw")  # Rᵀ, and what the reflections were above it
    lower = np.where(_LOWER[:count, :count], np.asarray(reflected)[:, :, :count].transpose(1, 2, 0), 0.0)
    places = range(count)
    return np.asarray(lower * np.copysign(1.0, lower[places, places]), order="C")


def bordered(columns: Array) -> Array:
    """The same L of one row over a factor: A is (1 + n, n + 1, twins), its lower left n by n lower triangular, and its
    last column stands in the first row alone and is not 0.

    By n Givens rotations of the last column with each other (Golub and Van Loan, 5.1.8), of all twins at once.
    """
    if columns.shape[2] == 1:
        return _bordered_alone(columns)
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


def _bordered_alone(columns: Array) -> Array:
    """`bordered` of one twin, to the last bit: the same operations, without an array for each few numbers."""
    rows: list[list[float]] = columns[:, :, 0].tolist()
    row, count = rows[0], len(rows)
    first = [abs(row[-1]), *[0.0] * (count - 1)]
    others = [[0.0] * count, *([0.0, *each[:-1]] for each in rows[1:])]
    for place in range(count - 1, 0, -1):
        length = math.sqrt(first[0] * first[0] + row[place - 1] * row[place - 1])
        cosine, sine = first[0] / length, row[place - 1] / length
        for each in range(place, count):
            turned = cosine * others[each][place] - sine * first[each]
            first[each] = cosine * first[each] + sine * others[each][place]
            others[each][place] = turned
        first[0] = length
    for each in range(count):
        others[each][0] = first[each]
    return np.array(others)[:, :, None]


def diagonal(deviations: Array) -> Array:
    """The factor of independent parts: their standard deviations, (n, twins), on the diagonal of (n, n, twins)."""
    count = len(deviations)
    matrix = np.zeros((count, count, *deviations.shape[1:]))
    matrix[range(count), range(count)] = deviations
    return matrix


def covariance(factor: Array) -> Array:
    """L Lᵀ of (n, n, twins); symmetric to the last bit."""
    return np.asarray((factor[:, None] * factor[None]).sum(axis=2))

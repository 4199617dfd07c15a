"""Triangular square roots of many small matrices at once, the twins along the last axis.

A covariance is kept as its lower-triangular factor L with L Lᵀ, so it cannot cease to be symmetric or positive. All
changes are made by `triangular`: one orthogonal transformation, no downdate that might fail.

>>> columns = np.array([[3.0, 4.0], [0.0, 5.0]])[:, :, None]
>>> print(np.round(covariance(triangular(columns))[:, :, 0], 12))
[[25. 20.]
 [20. 25.]]
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "covariance", "diagonal", "triangular"]

Array = npt.NDArray[np.float64]


def triangular(columns: Array) -> Array:
    """The lower-triangular L, its diagonal not negative, with L Lᵀ = A Aᵀ.

    By Householder reflections of A's rows (Golub and Van Loan, Matrix Computations, 5.2), each for all twins.

    Args:
        columns: A, of shape (rows, columns, twins), at least as many columns as rows.

    Returns:
        (rows, rows, twins).
    """
    work = np.array(columns, dtype=np.float64)
    rows = len(work)
    for i in range(rows):
        row = work[i, i:]
        signed = np.copysign(np.sqrt((row * row).sum(axis=0)), row[0])
        if i + 1 < rows:
            vector = row.copy()
            vector[0] += signed
            length = signed * vector[0]
            scaled = vector / np.where(length > 0, length, 1.0)
            below = work[i + 1 :, i:]
            below -= (below * scaled).sum(axis=1)[:, None] * vector
        work[i, i] = -signed
        work[i, i + 1 :] = 0.0
    lower = work[:, :rows].copy()
    lower *= np.copysign(1.0, lower[range(rows), range(rows)])
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

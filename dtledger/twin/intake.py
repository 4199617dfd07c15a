"""Meals and insulin on board: what was taken and has not acted yet.

Each is a chain of two compartments with one time constant (the gut's and the subcutaneous parts of Hovorka and others,
Physiological Measurement 2004; Dalla Man and others, IEEE TBME 2007, have more), moved exactly over any interval. They
depend on what was announced alone, so every twin carries their amounts and no uncertainty; how strongly they act on
glucose is the state's, as gains.

>>> on_board = taken(start(1), carbohydrate=np.array([50.0]))
>>> later, (absorbed, *_ ) = move(on_board, np.array([60.0]))
>>> round(float(absorbed[0]), 2), round(float(later[:2].sum() + absorbed[0]), 6)
(22.11, 50.0)
"""

from __future__ import annotations

import numpy as np

from .factors import Array

__all__ = ["CHAINS", "MINUTES", "MOST", "move", "start", "taken"]

CHAINS = ("carbohydrate", "rapid", "lasting")
"""In g, [iU] and [iU]; rows 2i and 2i + 1 of what is on board are a chain's compartments."""

MINUTES = np.array([40.0, 60.0, 480.0])
"""Time constants of each compartment: a mixed meal, insulin of hours (regular or analogue), insulin of a day."""

MOST = (1000.0, 300.0, 300.0)
"""Of each chain that waits in its first compartment, in g and [iU], the most that one value of a living body's may say:
more in all would teach a twin, for good, what no body does."""


def start(twins: int) -> Array:
    """Nothing on board: (6, twins)."""
    return np.zeros((2 * len(CHAINS), twins))


def taken(
    on_board: Array, carbohydrate: Array | None = None, rapid: Array | None = None, lasting: Array | None = None
) -> Array:
    """What is on board after a meal in g and insulin in [iU], each (twins) or None; at most `MOST`."""
    after = on_board.copy()
    for place, amount in enumerate((carbohydrate, rapid, lasting)):
        if amount is not None:
            after[2 * place] = np.minimum(after[2 * place] + amount, MOST[place])
    return after


def move(on_board: Array, minutes: Array, constants: Array = MINUTES) -> tuple[Array, Array]:
    """What is on board after `minutes` (twins), and what left each chain meanwhile: (6, twins) and (3, twins)."""
    first, second = on_board[::2], on_board[1::2]
    share = minutes / constants[:, None]
    left = np.exp(-share)
    after = np.empty_like(on_board)
    after[::2] = first * left
    after[1::2] = (second + first * share) * left
    return after, (first + second) - (after[::2] + after[1::2])

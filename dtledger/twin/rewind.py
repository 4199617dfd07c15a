"""The last hours' readings, and a memory from before them: so that a twin can be taken back and led on otherwise.

When a gate finds that readings were false since an hour, the twin has already learned them. It goes back to the memory
that was kept from before, and takes the readings again, those that are believed alone. Two memories are kept, and the
older is given up when the newer is 20 readings or two hours old: what lies that far back can always be taken again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from . import batch, twin
from .factors import Array
from .past import LONG_AGO
from .prior import Prior
from .twin import Announced, Memory

__all__ = ["KEPT", "Trail", "again", "begin", "note", "start", "turn"]

KEPT = 64
"""Readings."""
READINGS, MINUTES = 20, 120.0
"""How old the newer memory becomes, in whichever comes first."""

AT, VALUE, SIDE, CARBOHYDRATE, RAPID, LASTING, TAKEN = range(7)
"""Rows of a reading."""


@dataclass(frozen=True, slots=True)
class Trail:
    """`rows` (7, 64, twins), the newest last; memories from before the last `older_rows` and `newer_rows` (twins)."""

    rows: Array
    older: Memory
    newer: Memory
    older_rows: Array
    newer_rows: Array


def start(prior: Prior, twins: int) -> Trail:
    """Before the first reading."""
    rows = np.zeros((7, KEPT, twins))
    rows[AT], rows[VALUE] = LONG_AGO, np.nan
    nothing = twin.start(prior, twins)
    return Trail(rows, nothing, nothing, np.zeros(twins), np.zeros(twins))


def note(
    trail: Trail,
    minutes: Array,
    reading: Array,
    sides: Array,
    announced: Announced | None,
    taken: npt.NDArray[np.bool_],
) -> Trail:
    """The trail with one more reading; NaN where only something was announced."""
    rows = np.empty_like(trail.rows)
    rows[:, :-1] = trail.rows[:, 1:]
    newest = rows[:, -1]
    newest[AT], newest[VALUE], newest[SIDE], newest[TAKEN] = minutes, reading, sides, taken
    intake = newest[CARBOHYDRATE : LASTING + 1]
    intake[:] = 0.0 if announced is None else (announced.carbohydrate, announced.rapid, announced.lasting)
    older, newer = np.minimum(trail.older_rows + 1, KEPT + 1), np.minimum(trail.newer_rows + 1, KEPT + 1)
    return Trail(rows, trail.older, trail.newer, older, newer)


def turn(trail: Trail, memory: Memory, wanted: npt.NDArray[np.bool_]) -> Trail:
    """The trail with `memory` as its newer one, where that is due and wanted."""
    due = wanted & ((trail.newer_rows >= READINGS) | (memory.at - trail.newer.at >= MINUTES))
    (twins,) = np.nonzero(due)
    if not len(twins):
        return trail
    if len(twins) == len(due):
        return replace(
            trail, older=trail.newer, newer=memory, older_rows=trail.newer_rows, newer_rows=np.zeros(len(due))
        )
    return replace(
        trail,
        older=batch.put(trail.older, twins, batch.of(trail.newer, twins)),
        newer=batch.put(trail.newer, twins, batch.of(memory, twins)),
        older_rows=np.where(due, trail.newer_rows, trail.older_rows),
        newer_rows=np.where(due, 0.0, trail.newer_rows),
    )


def begin(trail: Trail, memory: Memory, wanted: npt.NDArray[np.bool_]) -> Trail:
    """The trail with `memory`, which has taken all of its readings, as both of its own."""
    (twins,) = np.nonzero(wanted)
    if not len(twins):
        return trail
    some = batch.of(memory, twins)
    older, newer = (batch.put(each, twins, some) for each in (trail.older, trail.newer))
    none = np.where(wanted, 0.0, trail.older_rows), np.where(wanted, 0.0, trail.newer_rows)
    return replace(trail, older=older, newer=newer, older_rows=none[0], newer_rows=none[1])


def again(prior: Prior, trail: Trail) -> Memory:
    """The memory that comes of the readings marked as taken, from the older one on. Where more than KEPT came since,
    only what is left of them."""
    memory, rows = trail.older, trail.rows
    place = KEPT - np.minimum(trail.older_rows, KEPT)
    for slot in range(int(place.min(initial=KEPT)), KEPT):
        here = place <= slot
        minutes = np.where(here, np.maximum(rows[AT, slot], memory.at), memory.at)
        reading = np.where(here & (rows[TAKEN, slot] > 0), rows[VALUE, slot], np.nan)
        taken = Announced(*(np.where(here, rows[row, slot], 0.0) for row in (CARBOHYDRATE, RAPID, LASTING)))
        memory = twin.expect(prior, memory, minutes).take(reading, rows[SIDE, slot], taken).memory
    return memory

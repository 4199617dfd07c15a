"""People's readings side by side, and what a twin sees of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dtledger.twin import features, twin
from dtledger.twin.factors import Array
from dtledger.twin.features import HORIZONS
from dtledger.twin.prior import NEWBORN, Prior
from dtledger.twin.twin import NEAR, Announced, Step

from .people import CEILING, FLOOR, Person


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns of several people, (rows, people), each one's segments one after another; NaN after the last."""

    minutes: Array
    glucose: Array
    carbohydrate: Array
    rapid: Array
    lasting: Array


def side_by_side(people: Sequence[Person]) -> Rows:
    columns = []
    longest = max(sum(len(segment.minutes) for segment in person.segments) for person in people)
    for name in Rows.__slots__:
        column = np.full((longest, len(people)), np.nan)
        for i, person in enumerate(people):
            joined = np.concatenate([getattr(segment, name) for segment in person.segments])
            column[: len(joined), i] = joined
        columns.append(column)
    return Rows(*columns)


def walk(prior: Prior, rows: Rows, announced: bool) -> Iterator[Step]:
    """One reading of each person after another, as a gateway takes them."""
    memory = twin.start(prior, rows.minutes.shape[1])
    for minutes, glucose, *taken in zip(*(getattr(rows, name) for name in Rows.__slots__), strict=True):
        now = np.where(np.isnan(minutes), memory.at, minutes)
        intake = Announced(*(np.nan_to_num(each) for each in taken)) if announced else None
        sides = 1.0 * (glucose >= CEILING) - (glucose <= FLOOR)
        step = twin.expect(prior, memory, now).take(glucose, sides, intake)
        memory = step.memory
        yield step


@dataclass(frozen=True, slots=True)
class Recording:
    """What a twin saw of one person: features (rows, FEATURES), basis (rows, 10), `volatility` (rows), and `change`
    (3, rows), by how much glucose had changed at each horizon, NaN where nothing was read then. `mate` (3, rows) is
    the row of which each row tells the end, −1 where there is none."""

    minutes: Array
    glucose: Array
    features: Array
    basis: Array
    volatility: Array
    change: Array
    mate: np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def record(people: Sequence[Person], announced: bool) -> dict[str, Recording]:
    """By name."""
    rows = side_by_side(people)
    seen = [
        (features.features(step.view), step.view.basis, np.sqrt(step.view.slow[2]) / 20)
        for step in walk(NEWBORN, rows, announced)
    ]
    every, basis, volatility = (np.stack(each) for each in zip(*seen, strict=True))
    found = {}
    for i, person in enumerate(people):
        here = ~np.isnan(rows.glucose[:, i])
        minutes, glucose = rows.minutes[here, i], rows.glucose[here, i]
        change = np.full((len(HORIZONS), len(minutes)), np.nan)
        mate = np.full(change.shape, -1, dtype=np.int64)
        for k, horizon in enumerate(HORIZONS):
            end = np.clip(np.searchsorted(minutes, minutes + horizon - NEAR), 0, len(minutes) - 1)
            (there,) = np.nonzero(np.abs(minutes[end] - minutes - horizon) <= NEAR)
            change[k, there] = glucose[end[there]] - glucose[there]
            mate[k, end[there]] = there
        found[person.name] = Recording(
            minutes, glucose, every[here, :, i], basis[here, :, i], volatility[here, i], change, mate
        )
    return found

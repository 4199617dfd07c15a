"""What a step takes of the queue's hours, and how they look when it has: whichever signs a twin is of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from .._backend.queue_file import Kept as Row
from ..readings import Reading
from ..twin import batch
from ..vocabulary import known_unit, unit
from .queue import Hour, ReadingQueue, without

TOO_LATE = "came after a newer one: not judged"

Verdict = tuple[str, str]
"""Quality and why."""

Memory = TypeVar("Memory")

New = tuple[str, Reading, Row, str]
"""What a twin has not taken yet: category, reading, row, and its source, as `queue.Measured` has it."""


def amount_in(code: str, reading: Reading) -> float | None:
    """The value in the unit of that UCUM code; None for what is no amount of it: a pump's rate is none of insulin."""
    own, target = known_unit(reading.unit), unit(code)
    return own.convert(reading.value, target) if own is not None and own.base == target.base else None


def fresh(hours: Sequence[Hour], categories: Collection[str]) -> dict[int, list[New]]:
    """By twin what it has not taken yet of these categories."""
    found: dict[int, list[New]] = {}
    for hour in hours:
        if hour.category in categories:
            every = zip(hour.readings, hour.rows, hour.sources, strict=True)
            if new := [(hour.category, *each) for each in every if each[1].verdict is None]:
                found.setdefault(hour.twin, []).extend(new)
    return found


def shared(
    hours: Sequence[Hour], new: Mapping[int, Sequence[New]], most: int
) -> tuple[list[Hour], dict[int, list[New]]]:
    """The same without what is more of one twin than `most` readings; the earliest stay."""
    taken: dict[int, list[New]] = {}
    left: set[int] = set()
    for twin, some in new.items():
        earliest = sorted(some, key=lambda each: each[1].seconds)
        taken[twin] = earliest[:most]
        left |= {row.number for _, _, row, _ in earliest[most:]}
    return [each for hour in hours if (each := without(hour, left)).rows], taken


def abreast(moments: Sequence[int], memory: Memory, step: Callable[[Sequence[int], int, Memory], Memory]) -> Memory:
    """The memory of twins side by side after so many moments of each: the first of all, then the second, and whoever
    has no more stands aside. `step` is given the places of those who have one, which it is, and their memory."""
    places, number = np.arange(len(moments)), 0
    aside: list[tuple[batch.Twins, Memory]] = []
    while len(places):
        more = np.array([moments[place] > number for place in places.tolist()])
        if not more.all():
            aside.append((places[~more], batch.of(memory, np.nonzero(~more)[0])))
            memory, places = batch.of(memory, np.nonzero(more)[0]), places[more]
            continue
        memory, number = step(places.tolist(), number, memory), number + 1
    order = np.argsort(np.concatenate([each for each, _ in aside]))
    return batch.of(batch.join([each for _, each in aside]), order)


def marked(queue: ReadingQueue, hour: Hour, sealed: Mapping[int, bytes], found: Mapping[int, Verdict]) -> Hour:
    """The hour as its twin took it: by row number the verdicts as they are `sealed`, and those `found` just now."""
    numbers = {row.number for row in hour.rows}
    if numbers.isdisjoint(sealed):
        return hour
    if not numbers & sealed.keys() <= found.keys():  # some were taken before, and are judged otherwise now
        now = queue.hour(hour.part) or hour
        return without(now, {row.number for row in now.rows} - numbers)
    readings, rows = [], []
    for reading, row in zip(hour.readings, hour.rows, strict=True):
        new = row.number in found
        quality, why = found[row.number] if new else (reading.quality, reading.why)
        readings.append(replace(reading, quality=quality, why=why))
        rows.append(replace(row, verdict=sealed[row.number]) if new else row)
    return replace(hour, readings=tuple(readings), rows=tuple(rows))

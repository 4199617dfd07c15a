"""`scripts/evaluate detect`: the keeper's own path on clean and on false readings of people it has never seen.

A gate's raw scores do not depend on its thresholds. So people are led through the keeper once with a gate that never
closes; then from each window's first reading on once more for each attack. Thresholds are of other people, under
priors that have not seen those either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from dtledger.errors import InputError
from dtledger.twin import batch
from dtledger.twin.factors import Array
from dtledger.twin.gate import DETECTORS, Thresholds, sight
from dtledger.twin.keeper import QUALITIES, Keeper, Memory
from dtledger.twin.prior import Prior
from dtledger.twin.twin import Announced, expect

from . import plain
from .attacks import READINGS, Truth, shown
from .people import CEILING, FLOOR, Person
from .recording import Rows, side_by_side

DAY = 1440.0
NEAR, FAR = 8.0, 20.0
"""Minutes between two readings of a window."""
CHUNK = 1500
"""Windows at once: what the memory of a small machine carries."""
OPEN = Thresholds()

Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
Places = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Windows:
    """Non-overlapping two hours of several people, in the order of time within each: `person` (windows) whose, `row`
    its first, `truth`, what was `announced` (3, 8, windows), fingersticks (8, windows), and the `memory` that the
    keeper comes with, `plain` (windows, 2) the plain filter's; `scores` (DETECTORS, windows) and `nis` (windows), the
    greatest of its clean readings."""

    person: Places
    row: Places
    truth: Truth
    announced: Array
    fingerstick: Array
    memory: Memory
    plain: Array
    scores: Array
    nis: Array

    def __len__(self) -> int:
        return len(self.person)

    @property
    def follows(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Which windows begin right where the one before them ends."""
        same = (np.diff(self.person) == 0) & (np.diff(self.row) == READINGS)
        return np.concatenate([[False], same])


def sides(reading: Array) -> Array:
    """What a sensor says by its least and greatest values."""
    return (reading >= CEILING).astype(np.float64) - (reading <= FLOOR)


def beginnings(minutes: Array, glucose: Array) -> list[int]:
    """Rows at which a window of one person's begins: a day of readings before it, a reading right before it."""
    there = ~np.isnan(glucose)
    gaps = np.diff(minutes[there], prepend=-np.inf)
    (row,) = np.nonzero(there)
    found, place = [], 0
    while place + READINGS <= len(row):
        run = gaps[place : place + READINGS]
        since = minutes[row[place]] - DAY
        earlier = np.searchsorted(minutes[row], since - 7.5)
        whole = earlier > 0 and (gaps[earlier : place + 1] <= FAR).all()
        contiguous = row[place + READINGS - 1] - row[place] == READINGS - 1
        if whole and contiguous and ((run >= NEAR) & (run <= FAR)).all():
            found.append(int(row[place]))
            place += READINGS
        else:
            place += 1
    return found


def has_windows(person: Person) -> bool:
    """Whether a person has a window."""
    minutes, glucose = (
        np.concatenate([getattr(each, name) for each in person.segments]) for name in ("minutes", "glucose")
    )
    return bool(beginnings(minutes, glucose))


def lead(keeper: Keeper, people: Sequence[Person], announced: bool, keep: bool) -> Windows:
    """All of each person's readings, one after another; with `keep`, the memories that windows begin with."""
    rows = side_by_side(people)
    starts = [set(beginnings(rows.minutes[:, i], rows.glucose[:, i])) for i in range(len(people))]
    if not any(starts):
        raise InputError("Nobody of them has two hours after a day of readings without a gap.")
    memory, memories, raw = keeper.start(len(people)), {}, []
    for at, (minutes, glucose, taken) in enumerate(_rows(rows, announced)):
        if keep:
            for i in range(len(people)):
                if at in starts[i]:
                    memories[i, at] = batch.of(memory, np.array([i]))
        now = np.where(np.isnan(minutes), memory.at, minutes)
        kept = keeper.take(memory, now, glucose, sides(glucose), taken)
        memory = kept.memory
        raw.append(kept.judged.raw)
    every = np.stack(raw)  # (rows, DETECTORS, people)
    order = [(i, at) for i in range(len(people)) for at in sorted(starts[i])]
    person, row = (np.array(each, dtype=np.int64) for each in zip(*order, strict=True))
    inside = row + np.arange(READINGS)[:, None]
    truth, begin = _truth(rows, person, row), _plain(rows, person, row)
    return Windows(
        person,
        row,
        truth,
        np.stack([np.nan_to_num(getattr(rows, name)[inside, person]) for name in ("carbohydrate", "rapid", "lasting")])
        * announced,
        fingersticks(people)[inside, person],
        batch.join([memories[each] for each in order]) if keep else memory,
        begin,
        every[inside, :, person].max(axis=0).T,
        plain.greatest(begin, truth.glucose),
    )


def fingersticks(people: Sequence[Person]) -> Array:
    """(rows, people), mg/dL, NaN where none was taken."""
    every = [np.concatenate([segment.fingerstick for segment in person.segments]) for person in people]
    return np.stack([np.pad(each, (0, max(map(len, every)) - len(each)), constant_values=np.nan) for each in every], 1)


def lived(keeper: Keeper, person: Person, announced: bool) -> Array:
    """How many readings of a person come out as each of QUALITIES after the first day, without and with fingersticks:
    (2, QUALITIES)."""
    rows, sticks = side_by_side([person, person]), fingersticks([person])[:, 0]
    memory, count = keeper.start(2), np.zeros((2, len(QUALITIES)))
    for stick, (minutes, glucose, taken) in zip(sticks, _rows(rows, announced), strict=True):
        kept = keeper.take(memory, minutes, glucose, sides(glucose), taken, np.array([np.nan, stick]))
        memory = kept.memory
        if minutes[0] - rows.minutes[0, 0] >= DAY and not np.isnan(glucose[0]):
            count[[0, 1], kept.quality] += 1
    return count


def _rows(rows: Rows, announced: bool) -> Iterator[tuple[Array, Array, Announced | None]]:
    for minutes, glucose, *taken in zip(*(getattr(rows, each.name) for each in fields(rows)), strict=True):
        yield minutes, glucose, Announced(*map(np.nan_to_num, taken)) if announced else None


def _truth(rows: Rows, person: Places, row: Places) -> Truth:
    inside = row + np.arange(READINGS)[:, None]
    last, earlier = np.empty(len(row)), np.empty((READINGS + 1, len(row)))
    before = np.empty(len(row))
    for place, (i, at) in enumerate(zip(person, row, strict=True)):
        there = np.flatnonzero(~np.isnan(rows.glucose[:, i]))
        minutes, glucose = rows.minutes[there, i], rows.glucose[there, i]
        here = np.searchsorted(there, at)
        last[place], before[place] = glucose[here - 1], minutes[here - 1]
        wanted = np.concatenate([[before[place]], rows.minutes[inside[:, place], i]]) - DAY
        earlier[:, place] = glucose[np.abs(minutes[:, None] - wanted).argmin(axis=0)]
    return Truth(rows.minutes[inside, person], rows.glucose[inside, person], last, before, earlier)


def _plain(rows: Rows, person: Places, row: Places) -> Array:
    """What the plain filter believes before each window."""
    begin = np.empty((len(row), 2))
    for i in np.unique(person):
        there = np.flatnonzero(~np.isnan(rows.glucose[:, i]))
        states = plain.states(rows.minutes[there, i], rows.glucose[there, i])
        begin[person == i] = states[np.searchsorted(there, row[person == i])]
    return begin


def attacked(
    keeper: Keeper, windows: Windows, values: Array, announced: Array | None = None, since: Array | None = None
) -> Array:
    """The greatest raw scores (DETECTORS, windows) where a window's readings are `values` (8, windows); under an attack
    that began a window earlier, `since` (8, windows) are those before, and NaN is found where there is none."""
    found = np.full((len(DETECTORS), len(windows)), np.nan)
    taken = windows.announced if announced is None else announced
    for first in range(0, len(windows), CHUNK):
        some = np.arange(first, min(first + CHUNK, len(windows)))
        one = replace(keeper, prior=of_people(keeper.prior, windows.person[some]))
        memory = batch.of(windows.memory, some)
        if since is not None:
            some = some[windows.follows[some]]
            one = replace(keeper, prior=of_people(keeper.prior, windows.person[some]))
            memory, _ = _led(one, batch.of(windows.memory, some - 1), windows, some - 1, since, taken)
        _, found[:, some] = _led(one, memory, windows, some, values, taken)
    return found


def _led(
    keeper: Keeper, memory: Memory, windows: Windows, some: Places, values: Array, announced: Array
) -> tuple[Memory, Array]:
    best = np.full((len(DETECTORS), len(some)), -np.inf)
    for k in range(READINGS):
        reading, taken = shown(values[k, some]), Announced(*announced[:, k, some])
        kept = keeper.take(memory, windows.truth.minutes[k, some], reading, sides(reading), taken)
        memory, best = kept.memory, np.maximum(best, kept.judged.raw)
    return memory, best


def mimicked(keeper: Keeper, windows: Windows, share: float) -> tuple[Array, Array]:
    """Under somebody who knows the model and all that the twin knows, and makes each innovation greater by `share` of
    its deviation: the raw scores, and how far the last reading then lies from the truth, mg/dL."""
    found, moved = np.full((len(DETECTORS), len(windows)), -np.inf), np.empty(len(windows))
    for first in range(0, len(windows), CHUNK):
        some = np.arange(first, min(first + CHUNK, len(windows)))
        one = replace(keeper, prior=of_people(keeper.prior, windows.person[some]))
        true = false = batch.of(windows.memory, some)
        for k in range(READINGS):
            minutes, reading = windows.truth.minutes[k, some], windows.truth.glucose[k, some]
            means, deviations = zip(
                *(sight(expect(one.prior, each.twin, minutes)) for each in (true, false)), strict=True
            )
            wrong = shown(reading + means[1] - means[0] + share * deviations[1])
            taken = Announced(*windows.announced[:, k, some])
            true = one.take(true, minutes, reading, sides(reading), taken).memory
            kept = one.take(false, minutes, wrong, sides(wrong), taken)
            false, found[:, some] = kept.memory, np.maximum(found[:, some], kept.judged.raw)
        moved[some] = wrong - reading
    return found, moved


def of_people(prior: Prior, person: Places) -> Prior:
    """The priors of the people that twins are of."""
    names = ("weights", "spread", "quantiles", "usual", "deviation")
    arrays: dict[str, Any] = {name: np.asarray(getattr(prior, name))[..., person] for name in names}
    return replace(prior, **arrays)

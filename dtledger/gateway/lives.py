"""Glucose twins through new readings: what is found of each reading, what is known after it, and which lows alarm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .._backend.queue_file import Kept as Row
from ..client.writing import CLOCK_AHEAD
from ..readings import LONGEST_WHY, UNVERIFIED, Reading
from ..twin.keeper import GOOD, QUALITIES, Keeper, Kept, Memory
from ..twin.snapshot import LONGEST_FLAG, MOST_FLAGS
from ..twin.twin import Announced
from ..vocabulary import category
from .alarms import Alarms
from .known import Known
from .moments import Course, Moment, course, is_blood
from .sealing import Seal
from .taking import TOO_LATE, New, Verdict, abreast


@dataclass
class Life:
    """One twin in a step: what is known, what comes, and what was found of it."""

    known: Known
    comes: Course
    verdicts: dict[int, tuple[Row, Reading, Verdict]] = field(default_factory=dict)
    """By row number."""
    later: list[tuple[int, str]] = field(default_factory=list)
    """Times of earlier readings that are suspect now, and why."""


class Lives:
    """Leads twins by one keeper; nothing is kept, but lows alarm. `signer` is as `course` has it."""

    def __init__(self, keeper: Keeper, seal: Seal, clock: Callable[[], int], signer: Callable[[str], bytes]) -> None:
        self._keeper = keeper
        self._seal = seal
        self._clock = clock
        self._signer = signer
        self.alarms = Alarms()

    def begin(self, known: Known, new: Sequence[New]) -> Life:
        """A twin, and what it has not taken yet."""
        if known.newest is None:
            glucose = (reading for name, reading, *_ in new if name == "glucose")
            offsets = (reading.offset for reading in glucose if reading.offset is not None)
            known = replace(known, offset=next(offsets, 0))
        comes = course(new, known.newest, known.waiting, self._signer)
        life = Life(replace(known, waiting=comes.waiting), comes)
        for row, reading in comes.heard:
            life.verdicts[row.number] = row, reading, (reading.quality, "")
        for row, reading in comes.late:
            life.verdicts[row.number] = row, reading, (reading.marked(UNVERIFIED).quality, TOO_LATE)
        word, latest = self._seal.word(known.twin, "glucose"), self._clock() + CLOCK_AHEAD
        for reading in comes.lows:
            if not self.alarms.rang(word, reading.seconds, latest):  # what comes too late may be a repeat
                self.alarm(known.twin, reading, unverified=not is_blood(reading))
        return life

    def lead(self, lives: Sequence[Life], memory: Memory) -> Memory:
        """All their moments, twins side by side."""

        def step(places: Sequence[int], number: int, memory: Memory) -> Memory:
            here = [lives[place] for place in places]
            return self._step(here, [each.comes.moments[number] for each in here], memory).memory

        return abreast([len(each.comes.moments) for each in lives], memory, step)

    def alarms_still(self, reading: Reading) -> bool:
        """Whether a low of that time is of now."""
        return not category("glucose").is_stale(self._clock() - reading.seconds)

    def alarm(self, twin: int, reading: Reading, *, unverified: bool) -> None:
        if self.alarms_still(reading):
            self.alarms.ring(self._seal.word(twin, "glucose"), reading.seconds, unverified=unverified)

    def _step(self, lives: Sequence[Life], moments: Sequence[Moment], memory: Memory) -> Kept:
        """One moment of each."""
        given = Announced(*np.array([each.given for each in moments]).T)
        kept = self._keeper.take(
            memory,
            np.array([life.known.minute(each.reading.seconds) for life, each in zip(lives, moments, strict=True)]),
            np.array([each.value for each in moments]),
            np.array([each.side for each in moments]),
            given,
            np.array([each.stick for each in moments]),
        )
        columns = (kept.quality, kept.low, kept.step.seen, kept.step.innovation, kept.step.nis)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for place, (life, each, row) in enumerate(zip(lives, moments, rows, strict=True)):
            quality, low, seen, innovation, nis = row
            reading, why = each.reading, "; ".join(kept.reasons[place])[:LONGEST_WHY]
            words = reading.quality if quality == GOOD else reading.marked(QUALITIES[quality]).quality
            life.verdicts[each.row.number] = each.row, reading, (words, why)
            flags = [] if quality == GOOD else [QUALITIES[quality], *kept.reasons[place]]
            life.known = replace(
                life.known,
                newest=reading.seconds,
                innovation=innovation if seen else None,
                nis=nis if seen else None,
                flags=tuple(each[:LONGEST_FLAG] for each in [*flags, *(["low"] if low else [])][:MOST_FLAGS]),
            )
            if low:
                self.alarm(life.known.twin, reading, unverified=quality != GOOD)
        for slot, place in np.argwhere(~np.isnan(kept.remarked)).tolist():
            life = lives[place]
            seconds = life.known.seconds(float(kept.remarked[slot, place]))
            life.later.append((seconds, "; ".join(kept.reasons[place])[:LONGEST_WHY]))
        return kept

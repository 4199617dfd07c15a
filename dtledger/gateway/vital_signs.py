"""Vital signs of a gateway's twins: heart rate, pulse, respiration, SpO2 and pressures pass one filter and its gate, as
glucose passes its own (`twins`).

What was found of a reading and the state that came of it are written in one transaction; a suspect reading is anchored
and marked with the reason, and no later one makes it good again. The state (`twin.vitals`) is told in a snapshot of the
category `twin-state` with each batch. Nothing alarms: what a sign means is for a monitor that knows its patient.

Warning: the gate's thresholds were tried on one person in intensive care; whoever runs upstairs leaps as well.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .._backend.queue_file import Kept as Row
from ..client.parts import Remark, State
from ..encoding import sha256
from ..errors import DtledgerError
from ..readings import SUSPECT, UNVERIFIED
from ..twin import batch, vitals_gate
from ..twin.snapshot import LONGEST_FLAG, MOST_FLAGS, VITALS, StateSnapshot, encode_states
from ..twin.vitals import CHANNELS
from ..twin.vitals_gate import DETECTORS, Memory, Thresholds
from ..vocabulary import Reason
from .known import Book, Known
from .queue import Hour, Measured, ReadingQueue
from .taking import TOO_LATE, New, Verdict, abreast, fresh, marked, shared
from .vital_moments import TAKEN, Course, course

log = logging.getLogger(__name__)

TWIN_STATE = "twin-state"
"""The category of the states."""

SHIPPED = Thresholds()

MOST_TAKEN = 1200 * len(CHANNELS)
"""Readings of one twin in a step."""


@dataclass
class Life:
    """One twin in a step: what is known, what comes, and by row number what was found of it."""

    known: Known
    comes: Course
    verdicts: dict[int, tuple[Row, Verdict]] = field(default_factory=dict)


def begin(known: Known, new: Sequence[New]) -> Life:
    """A twin, and what it has not taken yet."""
    life = Life(known, course(new, known.newest))
    for row, reading in life.comes.heard:
        life.verdicts[row.number] = row, (reading.quality, "")
    for row, reading in life.comes.late:
        life.verdicts[row.number] = row, (reading.marked(UNVERIFIED).quality, TOO_LATE)
    return life


def lead(thresholds: Thresholds, lives: Sequence[Life], memory: Memory) -> Memory:
    """All their moments, twins side by side."""

    def step(places: Sequence[int], number: int, memory: Memory) -> Memory:
        here = [lives[place] for place in places]
        moments = [each.comes.moments[number] for each in here]
        minutes = np.array([each.seconds / 60 for each in moments])
        judged = vitals_gate.take(thresholds, memory, minutes, np.array([each.values for each in moments]).T)
        nis, degrees = judged.step.update.nis.tolist(), judged.step.update.degrees.tolist()
        worst = judged.scores.argmax(axis=0)
        for place, (life, moment) in enumerate(zip(here, moments, strict=True)):
            for channel, (row, reading, _) in moment.said.items():
                life.verdicts[row.number] = row, (reading.quality, "")
                if judged.suspect[channel, place]:
                    why = f"{CHANNELS[channel]}: {DETECTORS[worst[channel, place]]}"
                    life.verdicts[row.number] = row, (reading.marked(SUSPECT).quality, why)
            reasons = judged.reasons(place)
            life.known = replace(
                life.known,
                newest=moment.seconds,
                nis=nis[place] if degrees[place] else None,
                flags=tuple(each[:LONGEST_FLAG] for each in ([SUSPECT, *reasons] if reasons else [])[:MOST_FLAGS]),
            )
        return judged.memory

    return abreast([len(each.comes.moments) for each in lives], memory, step)


class VitalSigns:
    """Keeps the vital signs of one queue's twins in step."""

    def __init__(self, queue: ReadingQueue) -> None:
        self._queue = queue
        model = sha256(VITALS.digest + repr(SHIPPED).encode())
        self._book = Book(queue.vital_signs, queue.seal, "vital signs", model, vitals_gate.start(1))
        self.refused: dict[int, Reason | None] = {}
        """Twins whose states could not be told when that was tried last, and why."""
        self.doubtful = 0
        """Readings since the start that are suspect."""

    def hear(self, measured: Sequence[Measured]) -> None:
        """Nothing alarms."""

    def take(self, hours: Sequence[Hour]) -> list[Hour]:
        """The hours, their readings taken and marked; of one twin no more than a step takes."""
        new = fresh([*hours, *self._beside(hours)], TAKEN)
        if not new:
            return [*hours]
        left, new = shared(hours, new, MOST_TAKEN)
        known, memory = self._book.of(sorted(new))
        lives = [begin(each, new[each.twin]) for each in known]
        memory = lead(SHIPPED, lives, memory)
        verdicts = {number: each for life in lives for number, each in life.verdicts.items()}
        sealed = {number: self._queue.seal.verdict(row, *verdict) for number, (row, verdict) in verdicts.items()}
        self._queue.vital_signs.take(sealed, {}, self._book.close([life.known for life in lives], memory))
        self.doubtful += sum(why not in ("", TOO_LATE) for _, (_, why) in verdicts.values())
        return [marked(self._queue, hour, sealed, {each: verdicts[each][1] for each in verdicts}) for hour in left]

    def _beside(self, hours: Sequence[Hour]) -> list[Hour]:
        """What else lies in the queue of the same twins and hours: signs are judged together, whichever is due first,
        and a twin's time never runs back."""
        given = {hour.part for hour in hours}
        there = {(hour.twin, min(each.seconds for each in hour.readings)) for hour in hours if hour.category in TAKEN}
        parts = {part for twin, at in there for name in TAKEN for part in self._queue.parts(twin, name, at)}
        return [hour for part in sorted(parts - given) if (hour := self._queue.hour(part)) is not None]

    def waiting(self, most: int) -> list[State | Remark]:
        """The states that were not told as they are."""
        known, memory = self._book.untold(most)
        if memory is None:
            return []
        begun = [each.newest is not None for each in known]
        self._queue.vital_signs.settle([self._book.name(each.twin) for each in known if each.newest is None])
        memory = batch.of(memory, np.flatnonzero(begun))
        some = [(each, each.newest) for each in known if each.newest is not None]
        told = [StateSnapshot(None, at, None, each.nis, each.flags) for each, at in some]
        contents = encode_states(VITALS, told, memory.twin)
        return [
            State(each.twin, TWIN_STATE, at // 60, content) for (each, at), content in zip(some, contents, strict=True)
        ]

    def settle(self, parts: Sequence[State | Remark], errors: Sequence[DtledgerError | None]) -> None:
        """What became of each state."""
        told = []
        for part, error in zip(parts, errors, strict=True):
            if not isinstance(part, State) or part.category != TWIN_STATE:
                continue
            told.append(self._book.name(part.twin))
            if error is None:
                self.refused.pop(part.twin, None)
            else:
                reason = self.refused[part.twin] = getattr(error, "reason", None)
                log.warning("vital signs are not told: %s", getattr(reason, "name", type(error).__name__))
        self._queue.vital_signs.settle(told)

    def end(self, twins: Collection[int]) -> None:
        """These twins have ended: nothing of them is kept any more."""
        self._queue.vital_signs.forget([self._book.name(twin) for twin in twins])
        for twin in twins:
            self.refused.pop(twin, None)

    def forget(self, hour: Hour) -> None:
        """Nothing of the hour's twin is kept any more, if it is the one that the twin stands at."""
        (known,), _ = self._book.of([hour.twin])
        if hour.category in TAKEN and max(each.seconds for each in hour.readings) >= (known.newest or 0):
            self._queue.vital_signs.forget([self._book.name(hour.twin)])
            self.refused.pop(hour.twin, None)

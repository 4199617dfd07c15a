"""The twins of a gateway: every reading of the queue passes its twin's gate and filter once, in the order of time.

A step takes the new readings of the hours that are to be written: all twins at once, reading by reading. What was found
of each (suspect, unverified, and why) and the twins' new states are written in one transaction, so that after a kill -9
at any instant the same is found again, and nothing is taken twice. The hours go on to the writer marked. The states are
told in snapshots of their own (`forecast`), without the readings that a twin remembers; a state that was not told, for
want of the right or because of a crash, is told as it is with the next batch.

An earlier reading that is judged otherwise now is marked in the queue, if it still lies there; else a snapshot corrects
the one that it was anchored in. A low reading alarms whatever its quality, before anything is written: it may alarm
twice after a crash, and never not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .._backend.queue_file import Kept as Row
from ..client.parts import Remark, State
from ..errors import DtledgerError
from ..ledger import Deployment
from ..readings import LONGEST_WHY, UNVERIFIED, Reading
from ..store import BlockStore
from ..twin import batch, gate, prior
from ..twin.keeper import GOOD, QUALITIES, SUSPECT, Keeper, Kept, Memory
from ..twin.snapshot import LONGEST_FLAG, MOST_FLAGS
from ..twin.twin import Announced
from ..vocabulary import Reason, category
from .alarms import Alarms
from .freshness import FORGOTTEN_SECONDS
from .known import Book, Known
from .moments import TAKEN, Course, Moment, course, is_blood
from .queue import Hour, ReadingQueue
from .telling import Telling

log = logging.getLogger(__name__)

FORGET_SECONDS = 3600

TOO_LATE = "came after a newer one: not judged"

Verdict = tuple[str, str]
"""Quality and why."""


@dataclass
class _Life:
    """One twin in a step: what is known, what comes, and what was found of it."""

    known: Known
    comes: Course
    verdicts: dict[int, tuple[Row, Reading, Verdict]] = field(default_factory=dict)
    """By row number."""
    later: list[tuple[int, str]] = field(default_factory=list)
    """Times of earlier readings that are suspect now, and why."""


def shipped() -> Keeper:
    """By what the package brings."""
    return Keeper(prior.shipped(), gate.shipped())


class Twins:
    """Keeps the twins of one queue in step by one keeper."""

    def __init__(
        self, queue: ReadingQueue, keeper: Keeper, deployment: Deployment, store: BlockStore, clock: Callable[[], int]
    ) -> None:
        self._queue = queue
        self._keeper = keeper
        self._clock = clock
        self._book = Book(queue.twins, queue.seal, keeper)
        self._telling = Telling(queue, self._book, keeper, deployment, store)
        self._forgot_at = 0
        self.alarms = Alarms()
        self.doubtful = 0
        """Readings since the start that are suspect or unverified."""

    # taking --------------------------------------------------------------------------------------------------

    def take(self, hours: Sequence[Hour]) -> list[Hour]:
        """The hours, their readings taken and marked."""
        fresh: dict[int, list[tuple[str, Reading, Row]]] = {}
        for hour in hours:
            if hour.category in TAKEN:
                new = [
                    (hour.category, reading, row)
                    for reading, row in zip(hour.readings, hour.rows, strict=True)
                    if row.verdict is None
                ]
                if new:
                    fresh.setdefault(hour.twin, []).extend(new)
        if not fresh:
            return [*hours]
        twins = sorted(fresh)
        known, memory = self._book.of(twins)
        lives = [self._life(each, fresh[each.twin]) for each in known]
        memory = self._live(lives, memory)
        verdicts = self._keep(lives, memory)
        found = {number: found for life in lives for number, (_, _, found) in life.verdicts.items()}
        return [self._marked(hour, verdicts, found) for hour in hours]

    def _marked(self, hour: Hour, sealed: dict[int, bytes], found: dict[int, Verdict]) -> Hour:
        """The hour as its twin took it."""
        numbers = {row.number for row in hour.rows}
        if numbers.isdisjoint(sealed):
            return hour
        if not numbers & sealed.keys() <= found.keys():  # some were taken before, and are judged otherwise now
            return self._queue.hour(hour.part) or hour
        readings, rows = [], []
        for reading, row in zip(hour.readings, hour.rows, strict=True):
            new = row.number in found
            quality, why = found[row.number] if new else (reading.quality, reading.why)
            readings.append(replace(reading, quality=quality, why=why))
            rows.append(replace(row, verdict=sealed[row.number]) if new else row)
        return replace(hour, readings=tuple(readings), rows=tuple(rows))

    def _life(self, known: Known, new: Sequence[tuple[str, Reading, Row]]) -> _Life:
        if known.newest is None:
            offsets = (reading.offset for name, reading, _ in new if name == "glucose" and reading.offset is not None)
            known = replace(known, offset=next(offsets, 0))
        comes = course(new, known.newest, known.waiting)
        life = _Life(replace(known, waiting=comes.waiting), comes)
        for row, reading in comes.heard:
            life.verdicts[row.number] = row, reading, (reading.quality, "")
        for row, reading in comes.late:
            life.verdicts[row.number] = row, reading, (reading.marked(UNVERIFIED).quality, TOO_LATE)
        word = self._queue.seal.word(known.twin, "glucose")
        for reading in comes.lows:
            if not self.alarms.rang(word, reading.seconds):  # what comes too late may be a repeat
                self._alarm(known.twin, reading, unverified=not is_blood(reading))
        return life

    def _live(self, lives: Sequence[_Life], memory: Memory) -> Memory:
        """Everybody's moments, the first of all, then the second; whoever has no more stands aside."""
        places, number = np.arange(len(lives)), 0
        aside: list[tuple[batch.Twins, Memory]] = []
        while len(places):
            more = np.array([len(lives[place].comes.moments) > number for place in places.tolist()])
            if not more.all():
                aside.append((places[~more], batch.of(memory, np.nonzero(~more)[0])))
                memory, places = batch.of(memory, np.nonzero(more)[0]), places[more]
                continue
            here = [lives[place] for place in places.tolist()]
            kept = self._step(here, [each.comes.moments[number] for each in here], memory)
            memory, number = kept.memory, number + 1
        order = np.argsort(np.concatenate([each for each, _ in aside]))
        return batch.of(batch.join([each for _, each in aside]), order)

    def _step(self, lives: Sequence[_Life], moments: Sequence[Moment], memory: Memory) -> Kept:
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
                self._alarm(life.known.twin, reading, unverified=quality != GOOD)
        for slot, place in np.argwhere(~np.isnan(kept.remarked)).tolist():
            life = lives[place]
            seconds = life.known.seconds(float(kept.remarked[slot, place]))
            life.later.append((seconds, "; ".join(kept.reasons[place])[:LONGEST_WHY]))
        return kept

    def _alarm(self, twin: int, reading: Reading, *, unverified: bool) -> None:
        now = self._clock()
        if not category("glucose").is_stale(now - reading.seconds):
            self.alarms.ring(self._queue.seal.word(twin, "glucose"), reading.seconds, unverified=unverified)

    # keeping -------------------------------------------------------------------------------------------------

    def _keep(self, lives: Sequence[_Life], memory: Memory) -> dict[int, bytes]:
        """Verdicts and states, in one transaction; the verdicts as they are sealed."""
        seal, later = self._queue.seal, {}
        for life in lives:
            for row, reading, why in self._earlier(life):
                verdict = reading.marked(QUALITIES[SUSPECT]).quality, why
                if row.number in life.verdicts:
                    life.verdicts[row.number] = row, reading, verdict
                elif not reading.doubtful:
                    later[row.number] = seal.verdict(row, *verdict)
                    self.doubtful += 1
        verdicts = {
            number: seal.verdict(row, *verdict) for life in lives for number, (row, _, verdict) in life.verdicts.items()
        }
        reasons = [why for life in lives for *_, (_, why) in life.verdicts.values()]
        self.doubtful += sum(why not in ("", TOO_LATE) for why in reasons)  # what comes too late may be a repeat
        states = self._book.close([life.known for life in lives], memory)
        self._queue.twins.take(verdicts, later, states)
        self._forget_old()
        return verdicts | later

    def _earlier(self, life: _Life) -> Iterator[tuple[Row, Reading, str]]:
        """The readings that were judged otherwise: of this step, of the queue, or lent by it."""
        now: dict[int, list[Moment]] = {}
        for each in life.comes.moments:
            now.setdefault(each.reading.seconds, []).append(each)
        for seconds, why in dict.fromkeys(life.later):
            if seconds in now:
                yield from ((each.row, each.reading, why) for each in now[seconds])
                continue
            for part in self._queue.parts(life.known.twin, "glucose", seconds):
                lent = self._queue.twins.lent(part).get(part, [])
                for hour in (self._queue.hour(part), self._queue.hour(part, lent)):
                    for reading, row in zip(hour.readings, hour.rows, strict=True) if hour else ():
                        if reading.seconds == seconds and row.verdict is not None and not is_blood(reading):
                            yield row, reading, why

    # telling -------------------------------------------------------------------------------------------------

    def waiting(self, most: int) -> list[State | Remark]:
        """What is to be written beside the hours."""
        return self._telling.waiting(most)

    def settle(self, parts: Sequence[State | Remark], errors: Sequence[DtledgerError | None]) -> None:
        """What became of each."""
        self._telling.settle(parts, errors)

    @property
    def refused(self) -> dict[int, Reason | None]:
        """Twins whose states could not be told when that was tried last, and why."""
        return self._telling.refused

    def _forget_old(self) -> None:
        """Every hour, what is lent no more, and twins that have been silent too long."""
        now = self._clock()
        if now - self._forgot_at >= FORGET_SECONDS:
            self._queue.twins.forget(now=now, before=now - FORGOTTEN_SECONDS)
            self._forgot_at = now

    def forget(self, hour: Hour) -> None:
        """Nothing of the hour's twin is kept any more, if it is the one that the twin stands at: an older one, or one
        of another category, says nothing of what may be written now, and a gate that has forgotten believes more."""
        (known,), _ = self._book.of([hour.twin])
        if hour.category == "glucose" and max(each.seconds for each in hour.readings) >= (known.newest or 0):
            self._queue.twins.forget([self._book.name(hour.twin)])
            self._telling.refused.pop(hour.twin, None)

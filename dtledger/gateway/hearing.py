"""A low alarms as soon as it is on the disk, not when its hour is taken.

It is judged as if its hour were taken now, and nothing of that is kept: so what still comes of before it finds its
place. What cannot be judged alarms as well, unverified.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from ..readings import Reading
from ..twin.keeper import Memory
from ..vocabulary import category
from .known import Book
from .lives import Lives
from .moments import ACTING_SECONDS, TAKEN, is_low
from .queue import Measured, ReadingQueue
from .taking import fresh

log = logging.getLogger(__name__)

MOST_HEARD = 300
"""Readings after which a low is judged when it comes: in a flood it alarms unverified."""


class Hearing:
    """Of the twins that `book` knows; for any thread."""

    def __init__(self, queue: ReadingQueue, book: Book[Memory], lives: Lives, clock: Callable[[], int]) -> None:
        self._queue = queue
        self._book = book
        self._lives = lives
        self._clock = clock

    def wake(self) -> None:
        """Alarm of lows that wait since before this process, however much else does."""
        for hour in self._queue.measured_since(self._clock() - 3600 * category("glucose").stale_hours):
            self.hear([Measured(hour.twin, hour.category, each) for each in hour.readings])

    def hear(self, measured: Sequence[Measured]) -> None:
        """These have come, and are on the disk."""
        lows: dict[int, list[Reading]] = {}
        for each in measured:
            if is_low(each.category, each.reading) and self._lives.alarms_still(each.reading):
                lows.setdefault(each.twin, []).append(each.reading)
        for twin, readings in lows.items():
            newest = max(readings, key=lambda each: each.seconds)
            try:
                why = "" if self._look(twin, newest.seconds) else "too many readings wait"
            except Exception as error:  # noqa: BLE001 whatever it is: it neither stills an alarm nor fails a post
                why = type(error).__name__
            if why:
                log.warning("a low is not judged yet: %s", why)
                self._lives.alarm(twin, newest, unverified=True)

    def _look(self, twin: int, newest: int) -> bool:
        """Alarm of a twin's lows up to that time (unix seconds); False where too much waits for it to be judged."""
        (known,), memory = self._book.of([twin])  # before the rows: what is taken meanwhile alarms by itself
        first = min(max(newest - ACTING_SECONDS, known.newest or 0), newest)
        hours = [
            self._queue.hour(self._queue.parts(twin, name, 3600 * hour)[0])
            for name in TAKEN
            for hour in range(first // 3600, newest // 3600 + 1)
        ]
        new = fresh([each for each in hours if each is not None], TAKEN).get(twin, [])
        if len(new) > MOST_HEARD:
            return False
        if new:
            self._lives.lead([self._lives.begin(known, new)], memory)
        return True

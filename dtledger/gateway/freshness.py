"""How old what is anchored of each twin is, and what of it is STALE: over a restart too.

What goes on by itself (a sensor's readings) has an age that its category bounds (`vocabulary.Category.stale_hours`).
Who has been silent for a month is not counted any more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .._backend.twin_tables import Sealed
from ..errors import IntegrityError
from ..vocabulary import CATEGORIES, category
from .queue import Hour, ReadingQueue
from .sealing import word_of

FORGOTTEN_SECONDS = 30 * 86_400
"""After so long without a reading a twin's state and its age are forgotten."""


@dataclass(frozen=True, slots=True)
class Age:
    """A word for a twin's category, the seconds since its newest anchored reading, and whether that is STALE."""

    word: str
    seconds: int
    stale: bool


class Freshness:
    """Of one queue's twins."""

    def __init__(self, queue: ReadingQueue) -> None:
        self._queue = queue
        self._newest: dict[str, tuple[str, int]] = {}
        self._changed: dict[bytes, Sealed] = {}
        for each in queue.twins.newest():
            try:
                name, minute = queue.seal.open(each)
            except (IntegrityError, ValueError):
                continue
            self._newest[word_of(each.name)] = name, minute

    def note(self, hour: Hour) -> None:
        """The hour's readings are anchored."""
        name = self._name(hour)
        _, known = self._newest.get(word_of(name), ("", 0))
        minute = max([known, *(each.minute for each in hour.readings)])
        self._newest[word_of(name)] = hour.category, minute
        self._changed[name] = self._queue.seal.close(name, [hour.category, minute])

    def keep(self) -> None:
        """What was noted outlives the process from here on."""
        self._queue.twins.note_newest([*self._changed.values()])
        self._changed.clear()

    def forget(self, hour: Hour) -> None:
        """Nothing of the hour's category is written to its twin any more."""
        name = self._name(hour)
        self._newest.pop(word_of(name), None)
        self._changed.pop(name, None)
        self._queue.twins.note_newest((), [name])

    def end(self, twins: Collection[int]) -> None:
        """Nothing is written to these twins any more."""
        names = [self._word(twin, each.name) for twin in twins for each in CATEGORIES]
        for name in names:
            self._newest.pop(word_of(name), None)
            self._changed.pop(name, None)
        self._queue.twins.note_newest((), names)

    def ages(self, now: int) -> list[Age]:
        """The oldest first."""
        ages = [
            Age(word, now - 60 * minute, category(name).is_stale(now - 60 * minute))
            for word, (name, minute) in [*self._newest.items()]
            if now - 60 * minute <= FORGOTTEN_SECONDS
        ]
        return sorted(ages, key=lambda each: (-each.seconds, each.word))

    def _name(self, hour: Hour) -> bytes:
        return self._word(hour.twin, hour.category)

    def _word(self, twin: int, category: str) -> bytes:
        return self._queue.seal.name("word", twin, category)

"""Alarms of a gateway's twins: that there was one, of which word, when, and whether its reading is relied on.

A word names no twin to whoever lacks the gateway's key; there is no value in an alarm, and none in the log. A reading
alarms when it has come and may be judged once more when its hour is taken: it alarms again only if it is judged
otherwise then.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

log = logging.getLogger(__name__)

SHOWN_SECONDS = 6 * 3600
"""How long an alarm is shown."""

MOST = 1000
"""Words that are kept."""

MOST_TIMES = 256
"""Of one word, the newest."""


@dataclass
class Alarms:
    """The newest alarms of each word, for any thread. `heard` are told of each, with whether it is unverified."""

    heard: list[Callable[[bool], None]] = field(default_factory=list)
    _rung: OrderedDict[str, dict[int, bool]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def ring(self, word: str, at: int, *, unverified: bool) -> None:
        """A reading of that time (unix seconds) alarms, unless it did so already."""
        with self._lock:
            times = self._rung.setdefault(word, {})
            if times.get(at) == unverified:
                return
            times[at] = unverified
            if len(times) > MOST_TIMES:
                del times[min(times)]
            self._rung.move_to_end(word)
            if len(self._rung) > MOST:
                self._rung.popitem(last=False)
        log.warning("twin %s alarms%s", word, ", unverified" if unverified else "")
        for each in self.heard:
            each(unverified)

    def rang(self, word: str, at: int, latest: int) -> bool:
        """Whether a reading of that time or of a later one alarmed; one after `latest` is of a clock that was ahead."""
        with self._lock:
            return any(at <= each <= latest for each in self._rung.get(word, ()))

    def shown(self, now: int) -> list[dict[str, Any]]:
        """Each word's newest of the last hours, the newest first."""
        with self._lock:
            newest = [(word, *max(times.items())) for word, times in self._rung.items()]
        found = [
            {"twin": word, "age_seconds": now - at, "unverified": unverified}
            for word, at, unverified in newest
            if now - at <= SHOWN_SECONDS
        ]
        return sorted(found, key=lambda each: each["age_seconds"])

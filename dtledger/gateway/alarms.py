"""Alarms of a gateway's twins: that there was one, of which word, when, and whether its reading is relied on.

A word names no twin to whoever lacks the gateway's key; there is no value in an alarm, and none in the log.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger(__name__)

SHOWN_SECONDS = 6 * 3600
"""How long an alarm is shown."""

MOST = 1000
"""Words that are kept."""


@dataclass
class Alarms:
    """The newest alarm of each word. `heard` are told of each, with whether it is unverified."""

    heard: list[Callable[[bool], None]] = field(default_factory=list)
    _newest: OrderedDict[str, tuple[int, bool]] = field(default_factory=OrderedDict)

    def ring(self, word: str, at: int, *, unverified: bool) -> None:
        """A reading of that time (unix seconds) alarms."""
        before = self._newest.get(word)
        self._newest[word] = max(at, before[0] if before else at), unverified
        self._newest.move_to_end(word)
        while len(self._newest) > MOST:
            self._newest.popitem(last=False)
        log.warning("twin %s alarms%s", word, ", unverified" if unverified else "")
        for each in self.heard:
            each(unverified)

    def rang(self, word: str, at: int) -> bool:
        """Whether a reading of that time or of a later one alarmed."""
        return word in self._newest and self._newest[word][0] >= at

    def shown(self, now: int) -> list[dict[str, Any]]:
        """Those of the last hours, the newest first."""
        found = [
            {"twin": word, "age_seconds": now - at, "unverified": unverified}
            for word, (at, unverified) in self._newest.items()
            if now - at <= SHOWN_SECONDS
        ]
        return sorted(found, key=lambda each: each["age_seconds"])

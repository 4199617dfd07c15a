"""Opening what is a twin's state and no readings: the newest, or all, through the door that all reads pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import AccessDeniedError
from ..snapshots.finder import Finder, Found
from ..snapshots.opening import Opened
from ..snapshots.package import NO_KEYS
from ..types import Period
from ..vocabulary import Action, Purpose
from .collecting import Collected
from .deciding import Question, shut
from .keyrings import ALL_TIME
from .reading import Reader, choose

DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class OpenedState:
    """One snapshot, its content, and what the custodians gave."""

    found: Found
    plaintext: bytes
    opened: Opened


class StateReader(Reader):
    """Opens states as this key may."""

    def newest(self, twin: int, category: str, purpose: Purpose) -> OpenedState | None:
        """The newest snapshot of a category that may be opened; None if none is anchored. Raises as `read`."""
        context = self._context
        question = Question(twin, context.key.address, Action.READ, purpose, category, ALL_TIME)
        now = context.now()
        doors = self._enter(question, now)
        finder = Finder(context.deployment, now.view, context.store, twin, doors[0].keys or NO_KEYS)
        last = finder.newest_minute(category)
        if last is None:
            return None
        latest = Period(max(last - DAY_MINUTES, 0), last)
        try:
            way = choose(doors, question, list(finder.periods(category, latest)), now, partial=True)
        except AccessDeniedError:  # consent ends with older data
            latest = ALL_TIME
            way = choose(doors, question, list(finder.periods(category)), now, partial=True)
        collected = Collected(refused=sorted(way.shut.items()))
        asked = [
            each
            for group in finder.find(category, latest)
            for each in self._asked(way, group, collected)
            if each.manifest.period.end <= last
        ]
        if not asked:
            return None
        newest = max(asked, key=lambda each: (each.manifest.period.end, each.batch.block, each.manifest.sequence))
        opened = self._opened(way, [newest])
        if opened.refused:
            raise shut([(newest.manifest.period, opened.refused[newest.digest])])
        return OpenedState(newest, opened.plaintexts[newest.digest], opened)

    def every(self, twin: int, category: str, purpose: Purpose, within: Period = ALL_TIME) -> Iterator[OpenedState]:
        """Every snapshot of a category and a period that may be opened, each writer's in its order. Raises as
        `read`."""
        context = self._context
        question = Question(twin, context.key.address, Action.READ, purpose, category, within)
        now = context.now()
        doors = self._enter(question, now)
        finder = Finder(context.deployment, now.view, context.store, twin, doors[0].keys or NO_KEYS)
        way = choose(doors, question, list(finder.periods(category, within)), now, partial=True)
        for group in finder.find(category, within):
            if asked := self._asked(way, group, Collected()):
                opened = self._opened(way, asked)
                if opened.refused:
                    raise shut(
                        [
                            (each.manifest.period, opened.refused[each.digest])
                            for each in asked
                            if each.digest in opened.refused
                        ]
                    )
                yield from (OpenedState(each, opened.plaintexts[each.digest], opened) for each in asked)

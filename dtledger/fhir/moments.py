"""Times of FHIR. A day has no zone, and a year no day: what they may mean is a span, and which end of it counts depends
on whether something is permitted or denied by it.

>>> day = Moment.of("2016-01-01", "Consent.provision.period.end")
>>> from datetime import UTC, datetime
>>> [datetime.fromtimestamp(each, UTC).strftime("%d %H:%M") for each in day.over]
['01 10:00', '02 12:00']
>>> Moment.of("2016-06-23T17:02:33+10:00", "").exact
1466665353
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ..types import MAX_MINUTE, Period
from .element import Element
from .strict import refuse

_EAST, _WEST = 14 * 3600, 12 * 3600
"""Seconds: no zone is farther from UTC (tz database)."""

FOREVER = 2**40 - 1
"""The last second that a grant can name."""

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Moment:
    """The unix seconds at which a time may begin (the earliest, the latest), and from which it may be over. `text` is
    as it was written; `whole` whether it is a day, a month or a year and no time of day."""

    text: str
    begins: tuple[int, int]
    over: tuple[int, int]
    whole: bool

    @property
    def exact(self) -> int:
        """Its second, of one that has a time of day."""
        return self.begins[0]

    @classmethod
    def of(cls, text: str, path: str) -> Moment:
        """A `date`, `dateTime` or `instant`.

        Raises:
            InputError: it is none, or does not exist.
        """
        if (match := _DATE.fullmatch(text)) is not None:
            year, month, day = (int(each) if each else None for each in match.groups())
            try:
                first = date(year or 0, month or 1, day or 1)
                after = _after(first, month, day)
            except (ValueError, OverflowError):
                refuse(path, "there is no such day")
            start, end = _midnight(first), _midnight(after)
            return cls(text, (start - _EAST, start + _WEST), (end - _EAST, end + _WEST), whole=True)
        if not _TIME.fullmatch(text):
            refuse(path, "it is no time of FHIR; one with a time of day needs its offset from UTC")
        try:
            moment = datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            refuse(path, "there is no such time")
        second = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
        fraction = int("." in text)
        return cls(text, (second, second + fraction), (second + 1 - fraction, second + 1), whole=False)


def _after(first: date, month: int | None, day: int | None) -> date:
    if day is not None:
        return first + timedelta(days=1)
    if month is not None:
        return date(first.year + month // 12, month % 12 + 1, 1)
    return date(first.year + 1, 1, 1)


def _midnight(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400


@dataclass(frozen=True, slots=True)
class Window:
    """Seconds from `start` up to `end`, which is not one of them."""

    start: int = 0
    end: int = FOREVER

    def __bool__(self) -> bool:
        return self.start < self.end

    def __and__(self, other: Window) -> Window:
        return Window(max(self.start, other.start), min(self.end, other.end))

    def __sub__(self, other: Window) -> list[Window]:
        """What is left of it: none, one or two."""
        if not self & other:
            return [self]
        parts = (Window(self.start, min(self.end, other.start)), Window(max(self.start, other.end), self.end))
        return [each for each in parts if each]


ALWAYS = Window()


@dataclass(frozen=True, slots=True)
class Spell:
    """A FHIR Period: what surely lies in it, and what possibly does."""

    sure: Window = ALWAYS
    possible: Window = ALWAYS
    loose: bool = False
    """Whether the two differ, as they do where a day has no zone."""


UNLIMITED = Spell()


def spell(period: Element | None) -> Spell:
    """What a Period covers; without an end, or without a period, for ever. Both its ends are in it (FHIR R4,
    `Period.end`: "inclusive").

    Raises:
        InputError: a time is none, or it ends before it begins.
    """
    if period is None:
        return UNLIMITED
    start, end = (_moment(period, name) for name in ("start", "end"))
    sure = Window(max(0, start.begins[1]) if start else 0, min(FOREVER, end.over[0]) if end else FOREVER)
    possible = Window(max(0, start.begins[0]) if start else 0, min(FOREVER, end.over[1]) if end else FOREVER)
    if start and end and end.over[not (start.whole and end.whole)] <= start.begins[0]:  # two days are of one zone
        refuse(period.path, "it ends before it begins")
    return Spell(sure, possible, sure != possible)


def _moment(period: Element, name: str) -> Moment | None:
    text = period.text(name)
    if text is None and period.has(name):
        refuse(period.at(name), "its value is missing")
    return Moment.of(text, period.at(name)) if text is not None else None


def minutes_within(window: Window) -> Period | None:
    """The whole minutes that lie in it."""
    start, end = -(-window.start // 60), min(window.end // 60 - 1, MAX_MINUTE)
    return Period(start, end) if start <= end else None


def seconds_of(period: Period) -> Window:
    """The seconds of a period's minutes."""
    return Window(period.start * 60, period.end * 60 + 60)

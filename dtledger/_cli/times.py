"""Times as people write them on the command line, and as they read them.

A length is `90m`, `24h`, `14d` or `2w`. A moment is `now`, a length ago, a day (`2026-12-31`), or RFC 3339 with or
without its offset; a wall clock's time is one of the zone that times are shown in, and never guessed where that has it
twice or not at all. A day counts whole: it begins where it is a beginning and ends where it is an end.

>>> from zoneinfo import ZoneInfo
>>> day = beginning("2026-11-02", 0, ZoneInfo("Europe/Vienna"))
>>> end("2026-11-02", 0, ZoneInfo("Europe/Vienna")) - day
86400
>>> beginning("24h", 1_000_000, None), span(7200), span(86_400 * 3)
(913600, '2 hours', '3 days')
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from ..errors import InputError
from ..vocabulary.numbers import number_of

if TYPE_CHECKING:
    from ..types import Period

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LENGTH = re.compile(r"\d+[mhdw]")
_LAST = 2**40 - 1
"""The last second that a grant can name."""


def beginning(text: str, now: int, zone: tzinfo | None) -> int:
    """Unix seconds of a moment at which something begins.

    Raises:
        InputError: it is none.
    """
    return _moment(text, now, zone, whole_days=0)


def end(text: str, now: int, zone: tzinfo | None) -> int:
    """Unix seconds of the moment from which on something is over. Raises as `beginning`."""
    return _moment(text, now, zone, whole_days=1)


def ahead(length: str, now: int) -> int:
    """Unix seconds of a length from now.

    Raises:
        InputError: it is no length, or nothing.
    """
    from ..client.core import duration

    seconds = duration(length)
    if not 0 < seconds <= _LAST - now:
        raise InputError(f"{length!r} is no time ahead.", hint="Write 90m, 24h, 14d or 2w.")
    return now + seconds


def _moment(text: str, now: int, zone: tzinfo | None, *, whole_days: int) -> int:
    from ..client.core import duration

    if text == "now":
        return now
    if _LENGTH.fullmatch(text):
        return max(now - duration(text), 0)
    try:
        moment = datetime.fromisoformat(text) + timedelta(days=whole_days if _DAY.fullmatch(text) else 0)
        seconds = int(_aware(moment, zone).timestamp())
    except (ValueError, OverflowError) as error:
        if isinstance(error, AmbiguousTimeError):
            raise InputError(f"{text!r} is {error}.", hint="Write its offset: 2026-10-25T02:30+01:00, say.") from None
        raise InputError(
            f"{text!r} is no moment.", hint="Write 2026-12-31, 2026-12-31T18:00+01:00, or how long ago: 24h, 14d."
        ) from None
    if not 0 <= seconds <= _LAST:
        raise InputError(f"{text!r} lies before 1970 or beyond what a grant can name.")
    return seconds


class AmbiguousTimeError(ValueError):
    """A wall clock's time that is no one instant. Its text says why."""


def _aware(moment: datetime, zone: tzinfo | None) -> datetime:
    if moment.tzinfo is not None:
        return moment
    folds = (moment.replace(fold=fold) for fold in (0, 1))
    local = [each.replace(tzinfo=zone) if zone else each.astimezone() for each in folds]
    first, second = (each.utcoffset() or timedelta() for each in local)
    if first > second:
        raise AmbiguousTimeError("a time that the clocks of your zone show twice")
    if first < second:
        raise AmbiguousTimeError("a time that the clocks of your zone never show")
    return local[0]


def span(seconds: float) -> str:
    """A length of time in the largest unit that fits it, rounded down."""
    for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return number_of(int(seconds // size), word)
    return f"{round(seconds, 5):g} s"


def minutes(period: Period) -> dict[str, str]:
    """A data period for JSON: RFC 3339 of its first and its last minute, both included."""
    return {"from": minute_at(period.start), "until": minute_at(period.end)}


def minute_at(minute: int) -> str:
    """A unix minute for JSON."""
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

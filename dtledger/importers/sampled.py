"""Signals that are sampled at a fixed rate: when a recording began, and the instant of each of its samples.

A recording says once when it began, by a wall clock or not at all; then `--start` must. From there on time runs
evenly, and only the offset of its zone may change.

>>> from .options import Options
>>> start = start_of(Options.checked(tz="Europe/Vienna"), "1994-10-26 08:26:04")
>>> Timeline(start, Fraction(360)).instant(1)
Instant(seconds=783156364, micros=2778, offset=60)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from ..errors import InputError
from ..types import MAX_MINUTE
from .options import Options
from .result import UnreadableError
from .times import Clock, Instant
from .values import plain_heading

MAX_SAMPLES = 1_000_000
"""Of one signal in one import: three quarters of an hour of an electrocardiogram at 360 Hz. More are refused before
they fill the memory."""

_MICROS = 1_000_000
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Start:
    """When a recording began, in unix microseconds, and its clock: of a fixed offset in minutes, or of a zone."""

    micros: int
    offset: int | None
    zone: ZoneInfo | None


def start_of(options: Options, wall: str | None, micros: int = 0) -> Start:
    """When a recording began that says `wall`, a date and a time of day, and `micros` after it; None says nothing.

    Raises:
        InputError: it says nothing and `--start` neither, or both do; or whose clock it is is not known.
    """
    if wall is not None and options.start is not None:
        raise InputError("The recording says when it began, and --start says it again.", hint="Leave --start out.")
    text = wall if options.start is None else options.start
    if text is None:
        raise InputError(
            "The recording does not say when it began.", hint="Say it: --start 2026-11-02T08:00+01:00, say."
        )
    clock = Clock(options)
    whose = "The recording's time" if options.start is None else "--start"
    try:
        moment = clock.read(1, text)
        if not moment.date.clear:
            raise UnreadableError("the date does not begin with the year")
        seconds, offset = clock.place(moment)
    except UnreadableError as error:
        raise InputError(f"{whose} cannot be placed: {error}.") from None
    except InputError as error:
        raise InputError(f"{whose} has no offset from UTC.", hint=error.hint) from None
    fixed = moment.offset is not None or options.zone is None
    return Start(seconds * _MICROS + micros, offset if fixed else None, None if fixed else options.zone)


class Timeline:
    """The instants of a recording's samples, of which there are `rate` a second."""

    def __init__(self, start: Start, rate: Fraction) -> None:
        self._start = start
        self._rate = rate
        self._offsets: dict[int, int] = {}

    def instant(self, place: int) -> Instant:
        """When the sample at `place` was taken, the first being at 0, to the nearest microsecond.

        Raises:
            InputError: that is after 4011, or the zone was then not whole minutes from UTC.
        """
        count, second = self._rate.as_integer_ratio()
        after = (2 * place * second * _MICROS + count) // (2 * count)
        seconds, micros = divmod(self._start.micros + after, _MICROS)
        if seconds >= (MAX_MINUTE + 1) * 60:
            raise InputError("The recording lasts until after 4011.")
        return Instant(seconds, micros, self._offset(seconds))

    def _offset(self, seconds: int) -> int:
        if self._start.zone is None:
            assert self._start.offset is not None
            return self._start.offset
        minute = seconds // 60
        found = self._offsets.get(minute)
        if found is None:
            east = datetime.fromtimestamp(minute * 60, UTC).astimezone(self._start.zone).utcoffset()
            assert east is not None
            if east % _MINUTE:
                raise InputError(f"{self._start.zone.key} was then not whole minutes from UTC; give --utc-offset.")
            found = self._offsets[minute] = east // _MINUTE
        return found


def require_few(samples: int) -> None:
    """Pass if a signal of that many samples may be imported.

    Raises:
        InputError: they are over `MAX_SAMPLES`.
    """
    if samples > MAX_SAMPLES:
        raise InputError(
            f"The recording has {samples:,} samples of a signal; at most {MAX_SAMPLES:,} are imported at once.",
            hint="Cut it in parts, each with its header.",
        )


def by_short_name(options: Options, headings: Sequence[str], shorts: Sequence[str]) -> Options:
    """The options with a signal that `--value-column` names by its short name named by its heading, if one has it."""
    if options.value_column is None:
        return options
    named = [
        heading
        for heading, short in zip(headings, shorts, strict=True)
        if plain_heading(short) == plain_heading(options.value_column)
    ]
    return replace(options, value_column=named[0]) if len(named) == 1 else options

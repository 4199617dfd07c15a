"""Times as exports write them, and which instant each one is.

A time with an offset (`2026-11-02T00:10+01:00`, `...Z`) is an instant by itself. One without is a wall clock's, and
needs the zone or the offset of that clock. An hour that the zone has twice, or never, is nobody's to choose: the row
is a problem.

A date that begins with the year is clear. `03/04/2026` is not: the order must be given, or be proven by the file,
which has a day above twelve in one place and nowhere else. Years of two digits are never proven.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import NamedTuple, NoReturn

from ..errors import InputError
from ..types import MAX_MINUTE
from .options import DATE_ORDERS, DateOrder, Options, offset_minutes, offset_text
from .result import UnreadableError

_TIME = re.compile(
    r"(\d{1,4}([-/.])\d{1,2}\2\d{1,4})"
    r"(?:[Tt]|\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?"
    r"(?:\s*([AaPp])\.?[Mm]\.?)?\s*([Zz]|UTC|[+-]\d{2}:?(?:\d{2})?)?",
    re.ASCII,
)
_EPOCH = date(1970, 1, 1).toordinal()
_ORDER_TEXT = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}


class Date(NamedTuple):
    """What a date's text can mean, as days since 1970 by order. It is clear if its year leads, `short` if that has
    two digits."""

    days: dict[DateOrder, int]
    clear: bool
    short: bool
    line: int


class Moment(NamedTuple):
    """A time that has been read but not placed: its date, the second of its day, its own offset if it has one."""

    date: Date
    second: int
    offset: int | None


class Instant(NamedTuple):
    """A time that has been placed: unix seconds, the microseconds after them, minutes east of UTC."""

    seconds: int
    micros: int
    offset: int


class Clock:
    """Reads the times of one file; after the last, `settle` fixes the order of dates and `place` gives instants."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._dates: dict[str, Date | UnreadableError] = {}
        self._order: DateOrder = options.date_order or "dmy"
        self.notes: list[str] = []

    def read(self, line: int, text: str) -> Moment:
        """The time that `text` on `line` says.

        Raises:
            UnreadableError: it says none.
            InputError: it is a wall clock's and the zone is not given.
        """
        match = _TIME.fullmatch(text.strip())
        if match is None:
            raise UnreadableError(
                "there is no time" if not text.strip() else "the time is not a date and a time of day"
            )
        day, _, hour, minute, second, fraction, half, offset_cell = match.groups()
        found = self._dates.get(day)
        if found is None:
            found = self._dates[day] = self._date(day, line)
        if isinstance(found, UnreadableError):
            raise UnreadableError(str(found))
        of_day = _second_of_day(int(hour), int(minute), int(second or 0), half)
        offset = offset_minutes(offset_cell) if offset_cell else None
        if offset_cell and offset is None:
            raise UnreadableError("the time's offset from UTC does not exist")
        if offset is None and self._options.zone is None and self._options.offset is None:
            raise InputError(
                f"The time on line {line} has no offset from UTC.",
                hint="Say whose clock it is: --tz Europe/London, say, or --utc-offset +01:00.",
            )
        if fraction and fraction.strip("0"):
            self._note("Fractions of a second were cut off.")
        return Moment(found, of_day, offset)

    def settle(self) -> None:
        """Fix the order of day, month and year from what the file proves.

        Raises:
            InputError: it proves none, or two.
        """
        open_dates = [found for found in self._dates.values() if isinstance(found, Date) and not found.clear]
        if not open_dates or self._options.date_order:
            return
        if short := next((found for found in open_dates if found.short), None):
            _ask_for_order(f"The date on line {short.line} has a year of two digits.")
        proofs = {order: found.line for found in reversed(open_dates) if len(found.days) == 1 for order in found.days}
        if len(proofs) > 1:
            lines = sorted(proofs.items(), key=lambda proof: proof[1])
            said = " and ".join(f"{_ORDER_TEXT[order]} on line {line}" for order, line in lines)
            _ask_for_order(f"The dates are written in two orders: {said}.")
        if proofs:
            self._order, line = proofs.popitem()
            self._note(f"Dates were read {_ORDER_TEXT[self._order]}, which line {line} proves.")
        elif unclear := next((found for found in open_dates if len(set(found.days.values())) > 1), None):
            _ask_for_order(
                f"The date on line {unclear.line} may be day first or month first, and no line proves which."
            )

    def place(self, moment: Moment) -> tuple[int, int]:
        """Unix seconds and offset in minutes of a moment.

        Raises:
            UnreadableError: it is no one instant.
        """
        found = moment.date
        days = found.days["ymd" if found.clear else self._order]
        local = days * 86_400 + moment.second
        offset = self._options.offset if moment.offset is None else moment.offset
        if offset is None:
            offset = self._zone_offset(local)
        seconds = local - offset * 60
        if not 0 <= seconds < (MAX_MINUTE + 1) * 60:
            raise UnreadableError("the time lies before 1970 or after 4011")
        return seconds, offset

    def _zone_offset(self, local: int) -> int:
        zone = self._options.zone
        assert zone is not None
        wall = datetime(1970, 1, 1, tzinfo=zone) + timedelta(seconds=local)
        # PEP 495: the two readings of a wall clock differ only where it is turned; back, the first is farther east.
        first, second = wall.utcoffset(), wall.replace(fold=1).utcoffset()
        assert first is not None
        assert second is not None
        if first > second:
            both = " or ".join(offset_text(offset // timedelta(minutes=1)) for offset in (first, second))
            raise UnreadableError(
                f"clocks were turned back: this hour happened twice in {zone.key}; "
                f"import such rows from a file of their own with --utc-offset {both}"
            )
        if first < second:
            raise UnreadableError(
                f"clocks were turned forward: this hour never happened in {zone.key}; "
                "give the offset of the clock that wrote it with --utc-offset"
            )
        if first % timedelta(minutes=1):
            raise UnreadableError(f"{zone.key} was then not whole minutes from UTC; give --utc-offset")
        return first // timedelta(minutes=1)

    def _date(self, text: str, line: int) -> Date | UnreadableError:
        cells = re.split(r"[-/.]", text)
        widths = [len(cell) for cell in cells]
        orders: tuple[DateOrder, ...]
        if widths[0] == 4 and widths[2] <= 2:
            orders = ("ymd",)
        elif widths[0] <= 2 and widths[2] == 4:
            orders = ("dmy", "mdy")
        elif widths[0] <= 2 and widths[2] == 2:
            orders = DATE_ORDERS
        else:
            return UnreadableError("the date is not of a day, a month and a year")
        clear, short = widths[0] == 4, 4 not in widths
        if not clear and self._options.date_order:
            orders = tuple(order for order in orders if order == self._options.date_order)
        days: dict[DateOrder, int] = {}
        for order in orders:
            named = dict(zip(order, map(int, cells), strict=True))
            year = named["y"] + 2000 if short else named["y"]
            try:
                days[order] = date(year, named["m"], named["d"]).toordinal() - _EPOCH
            except ValueError:
                continue
        if not days:
            fixed = f" {_ORDER_TEXT[self._options.date_order]} (--date-order)" if self._options.date_order else ""
            return UnreadableError(f"the date does not exist{fixed}")
        return Date(days, clear, short, line)

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)


def _second_of_day(hour: int, minute: int, second: int, half: str | None) -> int:
    if half is not None:
        if not 1 <= hour <= 12:
            raise UnreadableError("the time of day does not exist")
        hour = hour % 12 + (12 if half in "Pp" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise UnreadableError("the time of day does not exist")
    return (hour * 60 + minute) * 60 + second


def _ask_for_order(message: str) -> NoReturn:
    raise InputError(message, hint="Say which order it is: --date-order dmy, mdy or ymd.")

"""What the person who imports a file knows about it and the file does not say."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from .. import vocabulary
from ..errors import InputError
from ..readings import MAX_OFFSET

DateOrder = Literal["dmy", "mdy", "ymd"]

DATE_ORDERS: tuple[DateOrder, ...] = ("dmy", "mdy", "ymd")

_OFFSET = re.compile(r"([+-])(\d\d)(?::?([0-5]\d))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Options:
    """Checked options of one import; `read_file` says what each means."""

    category: str
    zone: ZoneInfo | None
    offset: int | None
    unit: str | None
    date_order: DateOrder | None
    sensor_range: tuple[float, float] | None
    time_column: str | None
    value_column: str | None
    start: str | None = None

    @classmethod
    def checked(
        cls,
        *,
        category: str = "glucose",
        tz: str | None = None,
        utc_offset: str | None = None,
        unit: str | None = None,
        date_order: str | None = None,
        sensor_range: tuple[float, float] | None = None,
        time_column: str | None = None,
        value_column: str | None = None,
        start: str | None = None,
    ) -> Options:
        """Options as a person gives them.

        Raises:
            InputError: one cannot be used; the message names it.
        """
        try:
            measure = vocabulary.category(category)
        except ValueError as error:
            raise InputError(f"{error}.") from None
        if tz is not None and utc_offset is not None:
            raise InputError("--tz and --utc-offset say the same thing twice.", hint="Give one of them.")
        order = next((known for known in DATE_ORDERS if known == date_order), None)
        if date_order is not None and order is None:
            raise InputError("--date-order is none of dmy, mdy and ymd.")
        if sensor_range is not None and not 0 <= sensor_range[0] < sensor_range[1] < math.inf:
            raise InputError("--sensor-range is the least and the greatest value that the sensor shows.")
        return cls(
            category=measure.name,
            zone=None if tz is None else _zone(tz),
            offset=None if utc_offset is None else _offset_option(utc_offset),
            unit=None if unit is None else _unit_option(unit, measure),
            date_order=order,
            sensor_range=sensor_range,
            time_column=time_column,
            value_column=value_column,
            start=start,
        )


def offset_minutes(text: str) -> int | None:
    """Minutes east of UTC of `Z`, `UTC`, `+01:00`, `+0100` or `+01`; None for any other text.

    >>> offset_minutes("-05:30"), offset_minutes("Z"), offset_minutes("+25:00")
    (-330, 0, None)
    """
    if text in {"Z", "z", "UTC"}:
        return 0
    if not (match := _OFFSET.fullmatch(text)):
        return None
    sign, hours, minutes = match.groups()
    total = int(hours) * 60 + int(minutes or 0)
    return None if total > MAX_OFFSET else -total if sign == "-" else total


def offset_text(minutes: int) -> str:
    """`+01:00` for 60."""
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError("--tz is not the name of a time zone.", hint="Names look like Europe/London.") from None


def _offset_option(text: str) -> int:
    minutes = offset_minutes(text)
    if minutes is None:
        raise InputError("--utc-offset is not an offset.", hint="Offsets look like +01:00, -05:30 or Z.")
    return minutes


def _unit_option(spelling: str, measure: vocabulary.Category) -> str:
    try:
        known = vocabulary.unit(spelling)
    except ValueError as error:
        raise InputError(f"--unit: {error}.") from None
    if not measure.measured_in(known.code):
        raise InputError(f"--unit: {known.code} is not a unit of {measure.name}.", hint=f"{measure.unit} is one.")
    return known.code

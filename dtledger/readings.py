"""One device value, and the bytes that a snapshot of such values holds.

A reading keeps what its source said: the unit it was measured in, the source's own offset from UTC, and words
on its quality. Snapshots group readings by the hour of UTC; the same readings always give the same bytes.

>>> from datetime import datetime
>>> one = Reading.at_time(datetime.fromisoformat("2026-11-02T00:10+01:00"), 155, "mg/dL")
>>> one.at.isoformat(), one.minute, one.value, one.unit
('2026-11-02T00:10:00+01:00', 29892910, 155.0, 'mg/dL')
>>> round(one.to("mmol/L").value, 1)
8.6
>>> two = Reading(one.seconds + 3600, 150.0, "mg/dL", offset=60)
>>> [(group.period.start, len(group.readings)) for group in hourly([two, one])]
[(29892910, 1), (29892970, 1)]
>>> decode_readings(encode_readings("glucose", [two, one])).readings == (one, two)
True
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any, NamedTuple

from . import vocabulary
from .encoding import decode, encode
from .errors import IntegrityError
from .types import MAX_MINUTE, Period

SCHEMA = "dtledger/readings/1"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

BELOW_RANGE = "below-range"
"""The sensor showed "Low": the value is the least that it can show, and the true one lies below."""
ABOVE_RANGE = "above-range"
"""The sensor showed "High": the value is the greatest that it can show, and the true one lies above."""
REPEAT_OTHER_VALUE = "repeat-other-value"
"""The source has another value for the same second; both are kept."""
SCAN = "scan"
"""A person asked the sensor for it, between the values that it keeps by itself."""
FINGERSTICK = "fingerstick"
"""Measured in a drop of blood, not by the sensor."""
LONG_ACTING = "long-acting"
"""A dose of insulin that acts for a day or so."""
LABORATORY = "laboratory"
"""Measured by a laboratory, in blood that was drawn."""
SYSTOLIC = "systolic"
"""The greatest pressure of a heartbeat."""
DIASTOLIC = "diastolic"
"""The least pressure of a heartbeat."""
MEAN = "mean"
"""The pressure's mean over a heartbeat."""
ARTERIAL = "arterial"
"""Measured in an artery, by a line."""
CUFF = "cuff"
"""Measured by a cuff."""
PULSE = "pulse"
"""Counted from the pulse wave, not from the electrocardiogram."""
DAY_ONLY = "day-only"
"""The source names the day and no time of it."""
SHIFTED_DATE = "shifted-date"
"""The source's date was moved, to hide whose it is: it tells how times lie to each other and not when they were."""
LEADS = {
    lead.upper(): f"lead-{lead}"
    for lead in ("i", "ii", "iii", "avr", "avl", "avf", "v", "v1", "v2", "v3", "v4", "v5", "v6", "mli", "mlii", "mliii")
}
"""An electrocardiogram's leads, as recordings name them, and each one's word."""
SUSPECT = "suspect"
"""The twin's gate does not believe it: set aside, and kept."""
UNVERIFIED = "unverified"
"""The twin follows it, and nobody vouches for it."""
VERDICTS = frozenset({SUSPECT, UNVERIFIED})
"""Words that a gateway found, not the source."""
SOURCES = frozenset(
    {
        *(SCAN, FINGERSTICK, LONG_ACTING, LABORATORY, SYSTOLIC, DIASTOLIC, MEAN, ARTERIAL, CUFF, PULSE),
        *LEADS.values(),
    }
)
"""Words that say what a value is, not how good: values that differ in them are two, be they ever so equal."""

CLOCK_SET = 31_536_000
"""1971 begins, in unix seconds. A clock that was never set begins with 1970: what it says is no time."""

LONGEST_REASON = 500
"""Characters that the reason for a correction may have."""
LONGEST_WHY = 200
"""Characters that the reason for a verdict may have."""

MAX_OFFSET = 18 * 60
"""Minutes: no offset from UTC is farther away (ISO 8601 and XML Schema agree)."""

_UNIT = re.compile(r"[!-~]{1,40}")
_WORD = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
_QUALITY = re.compile(rf"(?:{_WORD}(?: {_WORD})*)?")


@dataclass(frozen=True, slots=True)
class Reading:
    """One device value.

    `seconds` are unix seconds; `offset` the source's minutes east of UTC, or None where it is not known;
    `unit` a UCUM code; `quality` is empty for an ordinary value, else words in alphabetical order with one
    space between them (the constants of this module; later versions may add to them). `micros` are the microseconds
    after `seconds`, of a signal that is sampled faster than once a second. `why` says in a line what a gateway's
    verdict among the words rests on.

    Raises:
        ValueError: a field is not of that form, or the value is not a finite number.
    """

    seconds: int
    value: float
    unit: str
    offset: int | None = None
    quality: str = ""
    micros: int = 0
    why: str = ""

    def __post_init__(self) -> None:
        if type(self.seconds) is not int or not 0 <= self.seconds < (MAX_MINUTE + 1) * 60:
            raise ValueError("a reading's time is whole unix seconds from 1970 to 4011")
        if type(self.value) is not float:
            if isinstance(self.value, bool) or not isinstance(self.value, int | float):
                raise ValueError("a reading's value is a number")
            object.__setattr__(self, "value", float(self.value))
        if not math.isfinite(self.value):
            raise ValueError("a reading's value is a finite number")
        if self.offset is not None and (type(self.offset) is not int or abs(self.offset) > MAX_OFFSET):
            raise ValueError(f"a reading's offset is whole minutes, at most {MAX_OFFSET} from UTC")
        if type(self.unit) is not str or not _UNIT.fullmatch(self.unit):
            raise ValueError("a reading's unit is a UCUM code")
        if self.quality and not _is_quality(self.quality):
            raise ValueError("a reading's quality is words of small letters and hyphens, in alphabetical order")
        if type(self.micros) is not int or not 0 <= self.micros < 1_000_000:
            raise ValueError("a reading's microseconds are those after its second")
        if self.why and not (type(self.why) is str and self.why.isprintable() and len(self.why) <= LONGEST_WHY):
            raise ValueError(f"what a verdict rests on is one line of text, at most {LONGEST_WHY} characters")

    @classmethod
    def at_time(cls, at: datetime, value: float, unit: str, quality: str = "") -> Reading:
        """A reading at an aware time; a fraction of a second is cut off.

        Raises:
            ValueError: the time has no offset, or one that is not whole minutes.
        """
        offset = at.utcoffset()
        if offset is None:
            raise ValueError("a reading's time needs an offset from UTC")
        if offset % timedelta(minutes=1):
            raise ValueError("a reading's offset from UTC is whole minutes")
        return cls((at - _EPOCH) // timedelta(seconds=1), value, unit, offset // timedelta(minutes=1), quality)

    @property
    def at(self) -> datetime:
        """The time with the source's offset; in UTC where that is not known."""
        zone = timezone(timedelta(minutes=self.offset)) if self.offset else UTC
        return datetime.fromtimestamp(self.seconds, zone).replace(microsecond=self.micros)

    @property
    def minute(self) -> int:
        return self.seconds // 60

    def to(self, unit: str) -> Reading:
        """The same reading in another unit, not rounded.

        Raises:
            ValueError: a unit is not known, or they do not measure the same thing.
        """
        target = vocabulary.unit(unit)
        return replace(self, value=vocabulary.unit(self.unit).convert(self.value, target), unit=target.code)

    def marked(self, word: str) -> Reading:
        """The same reading with one more word on its quality."""
        return replace(self, quality=" ".join(sorted({*self.quality.split(), word})))

    @property
    def doubtful(self) -> bool:
        """Whether a gateway's verdict is among the words on its quality."""
        return is_doubtful(self.quality)

    @property
    def unjudged(self) -> Reading:
        """As the source gave it, without what a gateway found."""
        words = [word for word in self.quality.split() if word not in VERDICTS]
        return replace(self, quality=" ".join(words), why="")


def is_doubtful(quality: str) -> bool:
    """Whether a gateway's verdict is among those words.

    >>> is_doubtful("scan suspect"), is_doubtful("scan")
    (True, False)
    """
    return not VERDICTS.isdisjoint(quality.split())


class Group(NamedTuple):
    """Readings for one snapshot, by time, and their period: the minutes of the first and of the last."""

    period: Period
    readings: tuple[Reading, ...]


class Content(NamedTuple):
    """What one snapshot holds. `reason` says why it was written, where it corrects an earlier one, and `replaces` the
    seconds whose values its own take the place of; None, of all."""

    category: str
    readings: tuple[Reading, ...]
    reason: str = ""
    replaces: tuple[int, ...] | None = None


def hourly(readings: Iterable[Reading], minutes: int = 60) -> list[Group]:
    """Readings in groups of `minutes` that begin with the hour of UTC; where there is none, there is no group.

    Raises:
        ValueError: `minutes` does not divide a day.
    """
    if type(minutes) is not int or minutes < 1 or 1440 % minutes:
        raise ValueError("snapshots must be of a length in minutes that divides a day")
    groups: dict[int, list[Reading]] = {}
    for reading in sorted(readings, key=_place):
        groups.setdefault(reading.minute // minutes, []).append(reading)
    return [Group(Period(group[0].minute, group[-1].minute), tuple(group)) for group in groups.values()]


def encode_readings(
    category: str, readings: Iterable[Reading], reason: str = "", replaces: Iterable[int] | None = None
) -> bytes:
    """The content of one snapshot as canonical DAG-CBOR: columns in the order of time.

    `at` holds the first time in unix seconds, then the seconds since the one before; `value` is bytes, eight for
    each reading: IEEE 754 binary64, big-endian. A column of `unit`, `offset` or `quality` in which all are equal
    is written as that one value; there is a column of `micros` where one is not 0, and of `why` where something is
    said. A correction has its `reason`, may hold no reading (what it replaces is withdrawn), and says what it
    `replaces`, in unix seconds, unless that is all.

    Raises:
        ValueError: the category is not known, the reason is not one line of text, there is neither reading nor reason,
            or what is replaced is nothing, no times, or without a reason.
    """
    if type(reason) is not str or not reason.isprintable() or len(reason) > LONGEST_REASON:
        raise ValueError(f"a reason is one line of text, at most {LONGEST_REASON} characters")
    rows = sorted(readings, key=_place)
    if not rows and not reason:
        raise ValueError("a snapshot holds at least one reading")
    content = {
        "schema": SCHEMA,
        "category": vocabulary.category(category).name,
        "at": [row.seconds for row in rows[:1]] + [later.seconds - row.seconds for row, later in pairwise(rows)],
        "value": struct.pack(f">{len(rows)}d", *(row.value for row in rows)),
        "unit": _column([row.unit for row in rows]),
        "offset": _column([row.offset for row in rows]),
        "quality": _column([row.quality for row in rows]),
    }
    if any(row.micros for row in rows):
        content["micros"] = _column([row.micros for row in rows])
    if any(row.why for row in rows):
        content["why"] = _column([row.why for row in rows])
    if reason:
        content["reason"] = reason
    if replaces is not None:
        content["replaces"] = _times(replaces)
        if not reason:
            raise ValueError("what is replaced is replaced for a reason")
    return encode(content)


def decode_readings(data: bytes) -> Content:
    """The content that `encode_readings` wrote, every value to the last bit.

    Raises:
        IntegrityError: the bytes are not exactly what `encode_readings` writes for what they say.
    """
    content = decode(data)
    try:
        if content["schema"] != SCHEMA:
            raise ValueError("another schema")
        count, seconds, rows = len(content["at"]), 0, []
        values = struct.unpack(f">{count}d", content["value"])
        columns = [_cells(content[name], count) for name in ("unit", "offset", "quality")]
        columns += [_cells(content.get("micros", 0), count), _cells(content.get("why", ""), count)]
        for step, value, *rest in zip(content["at"], values, *columns, strict=True):
            seconds += step
            rows.append(Reading(seconds, value, *rest))
        replaces = tuple(content["replaces"]) if "replaces" in content else None
        result = Content(content["category"], tuple(rows), content.get("reason", ""), replaces)
        if encode_readings(*result) != data:
            raise ValueError("not canonical")
    except (AttributeError, KeyError, TypeError, ValueError, struct.error) as error:
        raise IntegrityError(f"a snapshot's content is not readings of the form {SCHEMA}") from error
    return result


def _place(reading: Reading) -> tuple[int, int, float, float, str, str, int, str]:
    """The one order of readings; the sign tells -0.0 from 0.0, which compare as equal."""
    offset = MAX_OFFSET + 1 if reading.offset is None else reading.offset
    sign = math.copysign(1.0, reading.value)
    said = (reading.unit, reading.quality, offset, reading.why)
    return (reading.seconds, reading.micros, reading.value, sign, *said)


def _column(cells: list[Any]) -> Any:
    return cells[0] if cells and all(cell == cells[0] for cell in cells) else cells


def _times(seconds: Iterable[int]) -> list[int]:
    times = sorted(set(seconds))
    if not times or not all(type(each) is int and 0 <= each < (MAX_MINUTE + 1) * 60 for each in times):
        raise ValueError("what is replaced is whole unix seconds, one or more")
    return times


def _cells(column: Any, count: int) -> list[Any]:
    return column if isinstance(column, list) else [column] * count


def _is_quality(text: object) -> bool:
    if type(text) is not str or not _QUALITY.fullmatch(text):
        return False
    words = text.split(" ")
    return words == sorted(set(words))

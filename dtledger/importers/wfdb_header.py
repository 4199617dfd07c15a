"""The header of a WFDB record (`header(5)` of the WFDB Applications Guide), read strictly.

    name[/segments] signals [rate[/counter[(base)]] [samples [time [date]]]]
    file format[xSAMPLES][:skew][+offset] [gain[(baseline)][/unit] [bits [zero [first [checksum [block [name]]]]]]]

>>> found = parse(["a 1 0.0166666666667/125 3 31:25.894 10/10/2896", "a.dat 16 10/bpm 16 0 0 0 0 HR"])
>>> str(found.rate), found.begun, found.signals[0].heading
('1/60', Begun(wall='2896-10-10 00:31:25', micros=894000, year=2896), 'HR (bpm)')

Files are named by a plain name in the header's own folder and nowhere else, so a header reaches no other file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from ..errors import InputError

MAX_LINES = 10_000
"""Of a header; a record has a line for each signal or segment."""

MAX_LINE = 1_000
"""Characters of one."""

_PLAIN = r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9]+)?"
_DECIMAL = r"\d{1,12}(?:\.\d{1,15})?"
_RECORD = re.compile(
    rf"(?P<name>{_PLAIN})(?:/(?P<segments>\d{{1,6}}))?\s+(?P<signals>\d{{1,3}})"
    rf"(?:\s+(?P<rate>{_DECIMAL})(?:/{_DECIMAL}(?:\(-?{_DECIMAL}\))?)?"
    r"(?:\s+(?P<samples>\d{1,12})"
    r"(?:\s+(?P<time>\d{1,2}(?::\d{1,2}){0,2}(?:\.\d{1,6})?)(?:\s+(?P<date>\d{1,2}/\d{1,2}/\d{4}))?)?)?)?\s*",
    re.ASCII,
)
_SEGMENT = re.compile(rf"(?P<name>{_PLAIN}|~)\s+(?P<samples>\d{{1,12}})\s*", re.ASCII)
_SIGNAL = re.compile(
    rf"(?P<file>{_PLAIN}|~)\s+(?P<format>\d{{1,3}})(?:x(?P<frame>\d{{1,4}}))?(?::(?P<skew>\d{{1,9}}))?"
    r"(?:\+(?P<offset>\d{1,9}))?"
    r"(?:\s+(?P<gain>-?\d{1,12}(?:\.\d{1,15})?(?:[eE][+-]?\d{1,3})?)(?:\((?P<baseline>-?\d{1,10})\))?(?:/(?P<unit>\S{1,20}))?"
    r"(?:\s+(?P<bits>\d{1,2})(?:\s+(?P<zero>-?\d{1,10})(?:\s+(?P<first>-?\d{1,10})(?:\s+(?P<checksum>-?\d{1,10})"
    r"(?:\s+(?P<block>\d{1,9})(?:\s+(?P<name>\S.{0,99}?))?)?)?)?)?)?)?\s*",
    re.ASCII,
)


class Begun(NamedTuple):
    """When a record says that it began: the wall clock's whole second, the microseconds after it, and the year."""

    wall: str
    micros: int
    year: int


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal of a segment. A value is (sample − `baseline`) / `gain`; `frame` samples of it lie in each frame.
    `gain` is 0 where the signal is not calibrated, `checksum` None where the header has none."""

    file: str
    format: int
    frame: int
    skewed: bool
    offset: int
    gain: float
    baseline: int
    unit: str
    checksum: int | None
    name: str

    @property
    def heading(self) -> str:
        return f"{self.name} ({self.unit})"


class Segment(NamedTuple):
    """A part of a record: the name of its own header, None for a gap, and its length in frames."""

    name: str | None
    frames: int


@dataclass(frozen=True, slots=True)
class Header:
    """A record's header: of one with segments (then it has no signals of its own), or of a single one. `rate` is in
    frames a second, `frames` None where the header does not say it."""

    name: str
    rate: Fraction
    frames: int | None
    begun: Begun | None
    signals: tuple[Signal, ...]
    segments: tuple[Segment, ...]


def begins_like_one(opening: str) -> bool:
    """Whether a text's first line that is no comment is a record's, and the next one is a signal's or a segment's."""
    lines = [line for line in opening.splitlines()[:100] if line.strip() and not line.startswith("#")]
    if len(lines) < 2 or (record := _RECORD.fullmatch(lines[0])) is None:
        return False
    return bool((_SEGMENT if record["segments"] else _SIGNAL).fullmatch(lines[1]))


def parse(lines: Iterable[str]) -> Header:
    """The header that these lines are.

    Raises:
        InputError: they are none, a line's number says where; or they name a file that does not lie beside it.
    """
    kept: list[tuple[int, str]] = []
    for number, line in enumerate(lines, start=1):
        if number > MAX_LINES:
            raise InputError(f"The record's header has more than {MAX_LINES:,} lines.")
        if not line.strip() or line.startswith("#"):
            continue
        if len(line) > MAX_LINE:
            raise _unreadable(number)
        kept.append((number, line.strip()))
    if not kept:
        raise InputError("The record's header is empty.")
    (number, first), rest = kept[0], kept[1:]
    if (record := _RECORD.fullmatch(first)) is None:
        raise _unreadable(number)
    signals = () if record["segments"] else tuple(_signal(*each) for each in rest)
    segments = tuple(_segment(*each) for each in rest) if record["segments"] else ()
    said = int(record["segments"] or record["signals"])
    if said != len(rest):
        what = "segments" if record["segments"] else "signals"
        raise InputError(f"The record's header says {said} {what} and has lines of {len(rest)}.")
    return Header(
        name=record["name"],
        rate=_rate(record["rate"]),
        frames=None if record["samples"] is None else int(record["samples"]),
        begun=_begun(record["time"], record["date"]),
        signals=signals,
        segments=segments,
    )


def _signal(number: int, line: str) -> Signal:
    match = _SIGNAL.fullmatch(line)
    if match is None:
        raise _unreadable(number)
    return Signal(
        file=match["file"],
        format=int(match["format"]),
        frame=int(match["frame"] or 1),
        skewed=bool(int(match["skew"] or 0)),
        offset=int(match["offset"] or 0),
        gain=float(match["gain"] or 0),
        baseline=int(match["baseline"] or match["zero"] or 0),
        unit=match["unit"] or "mV",  # as the format has it
        checksum=None if match["checksum"] is None else int(match["checksum"]),
        name=(match["name"] or f"signal {number}").strip(),
    )


def _segment(number: int, line: str) -> Segment:
    match = _SEGMENT.fullmatch(line)
    if match is None:
        raise _unreadable(number)
    return Segment(None if match["name"] == "~" else match["name"], int(match["samples"]))


def _rate(text: str | None) -> Fraction:
    """Frames a second; what was written in decimals for a fraction of small numbers is that fraction."""
    if text is None:
        return Fraction(250)  # as the format has it
    said = Fraction(text)
    if said <= 0:
        raise InputError("The record's header says that there are no samples a second.")
    simple = said.limit_denominator(10_000)
    return simple if abs(simple - said) <= said / 10**9 else said


def _begun(time: str | None, date: str | None) -> Begun | None:
    if time is None or date is None:
        return None
    whole, _, fraction = time.partition(".")
    hour, minute, second = ["0", "0", *whole.split(":")][-3:]
    day, month, year = date.split("/")
    wall = f"{year}-{int(month):02}-{int(day):02} {int(hour):02}:{int(minute):02}:{int(second):02}"
    return Begun(wall, int(fraction.ljust(6, "0")), int(year))


def _unreadable(number: int) -> InputError:
    return InputError(f"Line {number} of the record's header is none that can be read.")

"""OpenSignals (r)evolution's text files of a BITalino: a header in JSON, then a line a sample.

    # OpenSignals Text File Format
    # {"00:11:…": {"sensor": ["ECG"], "label": ["A2"], "column": ["nSeq", …, "A2"], "resolution": [4, …, 10], …}}
    # EndOfHeader
    0	1	1	0	0	496

Values are the converter's whole numbers, and become units by the sensor's transfer function:

    ECG    mV = (n / 2**bits - 1/2) * 3.3 V / 1100 * 1000     (PLUX, Electrocardiography (ECG) Sensor Data Sheet)

A value at either end of what the converter can show is marked. Other sensors are named and left alone: the vocabulary
has no category for them, or no function is documented that we could check.

Each sample has a sequence number, of 4 bits as a rule, by which lost ones are found: what comes after them is placed
as much later. A loss of all its 16 numbers, or of twice as many, cannot be seen; a
note says so where any was lost. Times are the recording computer's wall clock; a header without a date needs `--start`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

from ..errors import InputError
from .columns import Column, choose
from .intake import Intake
from .options import Options
from .result import Import, UnreadableError
from .sampled import Timeline, by_short_name, require_few, start_of
from .source import Source

NAME = "bitalino"
TEXT = "OpenSignals' text file of a BITalino"

OPENING = "# OpenSignals Text File Format"
END = "# EndOfHeader"
DEVICES = frozenset({"bitalino", "bitalino_rev"})
"""Those that the transfer functions are of."""
COLUMNS = (Column(r"ecg \(.*\)", "ecg", "mV"), Column(r".*"))

_HEADER_LINES = 10
_MOST_CHANNELS = 64
_WHOLE = re.compile(r"\d{1,10}", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Recording:
    """What a header says: samples a second, each column's name and bits, each channel's heading and column, and when
    it began by the wall clock. `cut` says that a fraction of a second was there."""

    rate: int
    columns: list[str]
    bits: list[int]
    channels: list[tuple[str, str]]
    wall: str | None
    cut: bool
    lines: int


def ecg(sample: int, bits: int) -> float:
    """Millivolts of a sample of BITalino's electrocardiograph: operating voltage 3.3 V, gain 1100.

    >>> ecg(512, 10), round(ecg(0, 10), 3), round(ecg(1023, 10), 3)
    (0.0, -1.5, 1.497)
    """
    full: int = 2**bits
    return (sample / full - 0.5) * 3.3 / 1100 * 1000


FUNCTIONS: dict[str, Callable[[int, int], float]] = {"ecg": ecg}
"""The transfer function of each category."""


def recognises(opening: str, options: Options) -> bool:
    """See `Format.recognises`."""
    return opening.startswith(OPENING)


def read(source: Source, intake: Intake) -> Import:
    """The samples of one channel.

    Raises:
        InputError: the header is none that can be read, the options choose none of its channels, or the time at which
            it began is not known.
    """
    if intake.options.time_column:
        raise InputError("An OpenSignals file has no column of times.", hint="Leave --time-column out.")
    recording = _recording(source.opening)
    headings = [f"{sensor} ({label})" for sensor, label in recording.channels]
    labels = [label for _, label in recording.channels]
    choice = choose(COLUMNS, headings, by_short_name(intake.options, headings, labels))
    intake.begin(unit=choice.unit)
    assert choice.column.category is not None
    function = FUNCTIONS[choice.column.category]
    column = recording.columns.index(labels[choice.place])
    bits = recording.bits[column]
    timeline = Timeline(start_of(intake.options, recording.wall), Fraction(recording.rate))
    rows = _Rows(recording, intake)
    for line, place, cells in rows.of(source.lines()):
        require_few(place)
        sample = cells[column]
        side = -1 if sample == 0 else int(sample == 2**bits - 1)
        intake.sample(line, timeline.instant(place), function(sample, bits), side)
    if recording.cut and intake.options.start is None:
        intake.note("The fraction of the second at which it began was cut off: its places are not said.")
    rows.tell()
    if choice.left:
        intake.note(f"Left alone: {', '.join(repr(each) for each in choice.left.values())}.")
    return intake.finish(NAME, rows.line)


class _Rows:
    """A file's rows of whole numbers, each with its place in time, which counts the lost ones too."""

    def __init__(self, recording: Recording, intake: Intake) -> None:
        self._recording = recording
        self._intake = intake
        self._counted = "nSeq" in recording.columns
        self._lost = 0
        self._losses = 0
        self.line = 0

    def of(self, lines: Iterator[str]) -> Iterator[tuple[int, int, list[int]]]:
        """Line, place and cells of each row that can be read; the others are problems, and take their place too."""
        place, before = -1, None
        number = self._recording.columns.index("nSeq") if self._counted else 0
        cycle = 2 ** self._recording.bits[number]
        for self.line, line in enumerate(lines, start=1):
            if self.line <= self._recording.lines or not line.strip():
                continue
            try:
                cells = self._cells(line)
            except UnreadableError as error:
                self._intake.problem(self.line, str(error))
                place, before = place + 1, None if before is None else (before + 1) % cycle
                continue
            if self._counted:
                lost = 0 if before is None else (cells[number] - before - 1) % cycle
                if before is not None and lost == cycle - 1:
                    self._intake.problem(self.line, "the sequence number is that of the row before")
                    continue
                self._lost, self._losses = self._lost + lost, self._losses + bool(lost)
                place, before = place + lost, cells[number]
            place += 1
            yield self.line, place, cells

    def tell(self) -> None:
        if not self._counted:
            self._intake.note("The file has no sequence numbers, so samples that were lost cannot be found.")
        elif self._losses:
            cycle = 2 ** self._recording.bits[self._recording.columns.index("nSeq")]
            self._intake.note(
                f"At least {self._lost:,} samples were lost, in {self._losses:,} places: the sequence numbers count to "
                f"{cycle}, and what comes after may be later by as many samples, or by a multiple."
            )

    def _cells(self, line: str) -> list[int]:
        texts = line.split()
        if len(texts) != len(self._recording.columns):
            raise UnreadableError(f"the row has {len(texts)} cells and not {len(self._recording.columns)}")
        if not all(map(_WHOLE.fullmatch, texts)):
            raise UnreadableError("a cell is not a whole number")
        cells = [int(text) for text in texts]
        if any(cell >= 2**bits for cell, bits in zip(cells, self._recording.bits, strict=True)):
            raise UnreadableError("a cell is more than its bits can hold")
        return cells


def _recording(opening: str) -> Recording:
    """What the header says.

    Raises:
        InputError: it is not whole, of several devices or of another, or contradicts itself.
    """
    lines = list(islice(opening.splitlines(), _HEADER_LINES))
    if END not in lines:
        raise InputError(f"The header of the OpenSignals file does not end within {_HEADER_LINES} lines.")
    text = next((line[1:].strip() for line in lines if line[1:].strip().startswith("{")), "")
    try:
        devices = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError("The header of the OpenSignals file is not JSON.") from None
    if not isinstance(devices, dict) or len(devices) != 1:
        raise InputError("The OpenSignals file is not of one device.", hint="Save each device in a file of its own.")
    (device,) = devices.values()
    try:
        return _checked(device, lines.index(END) + 1)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError("The header of the OpenSignals file lacks something or contradicts itself.") from None


def _checked(device: dict[str, Any], lines: int) -> Recording:
    """Raises KeyError, TypeError, ValueError or AttributeError for what is not of its form."""
    if device["device"] not in DEVICES:
        raise InputError("The OpenSignals file is of another device than a BITalino.")
    columns, bits = device["column"], device["resolution"]
    rate, labels, sensors = device["sampling rate"], device["label"], device["sensor"]
    if not all(isinstance(each, str) for each in (*columns, *labels, *sensors)) or len(columns) > _MOST_CHANNELS:
        raise ValueError
    if len(set(columns)) != len(columns) or not set(labels) <= set(columns) or len(set(labels)) != len(labels):
        raise ValueError
    if not all(type(each) is int and 0 < each <= 32 for each in bits) or len(bits) != len(columns):
        raise ValueError
    if type(rate) is not int or not 0 < rate <= 100_000:
        raise ValueError
    date, time = _DATE.fullmatch(str(device.get("date", ""))), _TIME.fullmatch(str(device.get("time", "")))
    wall = None
    if date and time:
        year, month, day = date.groups()
        hour, minute, second = (int(time[place]) for place in (1, 2, 3))
        wall = f"{year}-{int(month):02}-{int(day):02} {hour:02}:{minute:02}:{second:02}"
    channels = list(zip(sensors, labels, strict=True))
    return Recording(rate, columns, bits, channels, wall, bool(time and time[4]), lines)

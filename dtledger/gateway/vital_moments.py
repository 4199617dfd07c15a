"""What the queue's readings are to the vital signs of a twin: moments at which its monitors said something, in their
order. A moment has at most one reading of each channel (`twin.vitals.CHANNELS`); of several of one second each is a
moment of its own.

A reading of before the newest moment that is known comes too late: a twin's time never runs back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from .._backend.queue_file import Kept
from ..readings import DIASTOLIC, PULSE, SYSTOLIC, Reading
from ..twin.vitals import CHANNELS
from .taking import New, amount_in

TAKEN = ("heart-rate", "respiration", "spo2", "blood-pressure")
"""Categories that the filter of vital signs lives by."""

_UNITS = {"heart-rate": "/min", "respiration": "/min", "spo2": "%", "blood-pressure": "mm[Hg]"}


@dataclass(slots=True)
class Moment:
    """What monitors said at unix `seconds`: by channel its row and reading, and the value in the channel's unit."""

    seconds: int
    said: dict[int, tuple[Kept, Reading, float]] = field(default_factory=dict)

    @property
    def values(self) -> list[float]:
        """In the order of CHANNELS, NaN where nothing was said."""
        return [self.said[place][2] if place in self.said else math.nan for place in range(len(CHANNELS))]


@dataclass(frozen=True, slots=True)
class Course:
    """What comes of new readings: moments in their order, the rows that came too late to be judged, and those of what
    the filter does not know (a mean pressure)."""

    moments: tuple[Moment, ...]
    late: tuple[tuple[Kept, Reading], ...]
    heard: tuple[tuple[Kept, Reading], ...]


def course(readings: Iterable[New], newest: int | None) -> Course:
    """The course of one twin's new readings, where `newest` is the time (unix seconds) of its newest moment."""
    moments: list[Moment] = []
    late: list[tuple[Kept, Reading]] = []
    heard: list[tuple[Kept, Reading]] = []
    for name, reading, row, _ in sorted(readings, key=lambda each: (each[1].seconds, each[2].number)):
        channel, value = _channel(name, reading), amount_in(_UNITS[name], reading)
        if channel is None or value is None:
            heard.append((row, reading))
        elif newest is not None and reading.seconds <= newest:
            late.append((row, reading))
        else:
            here = [each for each in moments[-len(CHANNELS) :] if each.seconds == reading.seconds]
            free = next((each for each in here if channel not in each.said), None)
            if free is None:
                moments.append(free := Moment(reading.seconds))
            free.said[channel] = row, reading, value
    return Course(tuple(moments), tuple(late), tuple(heard))


def _channel(name: str, reading: Reading) -> int | None:
    """The reading's place among CHANNELS; None for a pressure that does not say which it is."""
    words = reading.quality.split()
    if name == "blood-pressure":
        name = SYSTOLIC if SYSTOLIC in words else DIASTOLIC if DIASTOLIC in words else ""
    elif name == "heart-rate" and PULSE in words:
        name = PULSE
    return CHANNELS.index(name) if name in CHANNELS else None

"""What the queue's readings are to a glucose twin: moments at which its sensor said something, in the order of time.

What was eaten and injected, and what a fingerstick said, comes to the twin with the sensor's next reading. A reading of
before the newest one that the twin knows comes too late for it: its time never runs back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .._backend.queue_file import Kept
from ..readings import ABOVE_RANGE, BELOW_RANGE, FINGERSTICK, LABORATORY, LONG_ACTING, Reading
from ..twin.keeper import LOW
from .taking import New, amount_in

TAKEN = ("glucose", "meals", "insulin")
"""Categories that a glucose twin lives by."""

STICK_SECONDS = 600
"""How old a fingerstick may be when the sensor's next reading comes."""

ACTING_SECONDS = 4 * 3600
"""How late a meal or a dose may be told: what is older acts no more, or is nearly absorbed."""

MOST_WAITING = 100
"""Of one twin, whose sensor may say nothing any more."""

_UNITS = {"glucose": "mg/dL", "meals": "g", "insulin": "[iU]"}


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for the sensor's next reading: g, [iU] rapid, [iU] long-acting, or mg/dL of a fingerstick, at unix
    `seconds`. `kind` is its place in `Moment.given`, or STICK; `signer` who signed it, empty for nobody."""

    seconds: int
    kind: int
    amount: float
    signer: bytes = b""


MEAL, RAPID, LASTING, STICK = range(4)


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of a sensor in mg/dL, its `side` of the sensor's range, what was `given` since the one before (g,
    [iU] rapid, [iU] long-acting), and a fingerstick, NaN for none."""

    row: Kept
    reading: Reading
    value: float
    side: float
    given: tuple[float, float, float]
    stick: float


@dataclass(frozen=True, slots=True)
class Course:
    """What comes of new readings: moments in their order, the rows that came too late to be judged, those that need no
    judgement, what goes on waiting, and lows that are no moments."""

    moments: tuple[Moment, ...]
    late: tuple[tuple[Kept, Reading], ...]
    heard: tuple[tuple[Kept, Reading], ...]
    waiting: tuple[Waiting, ...]
    lows: tuple[Reading, ...] = ()


def course(
    readings: Iterable[New],
    newest: int | None,
    waiting: Sequence[Waiting] = (),
    signer: Callable[[str], bytes] = lambda _: b"",
) -> Course:
    """The course of one twin's new readings, where `newest` is the time (unix seconds) of the newest that it knows and
    `waiting` what was told since. `signer` says who signed what came from a source, empty for nobody: a fingerstick
    speaks for no sensor that signs with its own key."""
    moments: list[Moment] = []
    late: list[tuple[Kept, Reading]] = []
    heard: list[tuple[Kept, Reading]] = []
    told: list[Waiting] = [*waiting]
    sensor: list[tuple[Reading, Kept, float, bytes]] = []
    lows: list[Reading] = []
    for name, reading, row, source in readings:
        amount = amount_in(_UNITS[name], reading)
        if amount is None:
            heard.append((row, reading))
        elif name != "glucose" or is_blood(reading):
            heard.append((row, reading))
            if newest is None or reading.seconds > newest - ACTING_SECONDS:
                told.append(Waiting(reading.seconds, _kind(name, reading), amount, signer(source)))
        elif newest is not None and reading.seconds <= newest:
            late.append((row, reading))
        else:
            sensor.append((reading, row, amount, signer(source)))
            continue
        if is_low(name, reading):
            lows.append(reading)
    told.sort(key=lambda each: (each.seconds, each.kind, each.amount))
    for reading, row, amount, own in sorted(sensor, key=lambda each: (each[0].seconds, each[2], each[1].number)):
        given, stick = [0.0, 0.0, 0.0], math.nan
        while told and told[0].seconds <= reading.seconds:
            each = told.pop(0)
            if each.kind != STICK:
                given[each.kind] += each.amount
            elif reading.seconds - each.seconds <= STICK_SECONDS and not (own and each.signer == own):
                stick = each.amount
        moments.append(Moment(row, reading, amount, _side(reading), (given[0], given[1], given[2]), stick))
    return Course(tuple(moments), tuple(late), tuple(heard), tuple(told[-MOST_WAITING:]), tuple(lows))


def is_low(name: str, reading: Reading) -> bool:
    """Whether it alarms."""
    return name == "glucose" and (amount := amount_in(_UNITS[name], reading)) is not None and amount < LOW


def is_blood(reading: Reading) -> bool:
    """Whether it is of a drop of blood, and no sensor's."""
    return not {FINGERSTICK, LABORATORY}.isdisjoint(reading.quality.split())


def _kind(name: str, reading: Reading) -> int:
    if name == "insulin":
        return LASTING if LONG_ACTING in reading.quality.split() else RAPID
    return MEAL if name == "meals" else STICK


def _side(reading: Reading) -> float:
    words = reading.quality.split()
    return -1.0 if BELOW_RANGE in words else 1.0 if ABOVE_RANGE in words else 0.0

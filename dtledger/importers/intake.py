"""Turns the rows that a format finds into readings, and keeps account of all that did not become one."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import groupby, pairwise
from operator import attrgetter
from statistics import median_low

from .. import vocabulary
from ..errors import InputError
from ..readings import ABOVE_RANGE, BELOW_RANGE, CLOCK_SET, REPEAT_OTHER_VALUE, Reading
from .options import Options
from .result import Gap, Import, Problem, UnreadableError
from .sensor import UNKNOWN_SENSOR, Sensor
from .times import Clock, Instant, Moment
from .values import Numbers, bound, plausible, rival_unit, unit_code

MOST_PROBLEMS = 100_000
"""Rows of one file that cannot be read; a kilobyte of gzip can be a million of them."""

_SUSPECT_VALUES = 10
_MICROS = 1_000_000
_INSTANT = attrgetter("seconds", "micros")
_SIDE_QUALITY = {-1: BELOW_RANGE, 1: ABOVE_RANGE}


class Intake:
    """What a format hands its rows to. Make one a file, `begin`, then `row`, `sample`, `problem` or `other` for each
    row."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._clock = Clock(options)
        self._numbers = Numbers()
        self._unit: str | None = options.unit
        self._sensor: Sensor = UNKNOWN_SENSOR
        self._rows: list[tuple[int, Moment, float, str, str]] = []
        self._samples: list[Reading] = []
        self._problems: list[Problem] = []
        self._notes: list[str] = []
        self._others: Counter[str] = Counter()
        self._in_rival_unit: Counter[str] = Counter()

    def begin(self, *, unit: str | None, unit_column: bool = False, sensor: Sensor = UNKNOWN_SENSOR) -> None:
        """Say which unit the headings name, whether each row names its own, and what the sensor can show.

        Raises:
            InputError: the unit is not known, or `--unit` contradicts the headings.
        """
        if unit and self.options.unit not in {None, unit}:
            raise InputError(f"The file says {unit}, --unit says {self.options.unit}.", hint="Leave --unit out.")
        self._unit = unit or self.options.unit
        self._sensor = sensor
        if self._unit is None and not unit_column:
            usual = vocabulary.category(self.options.category).unit
            raise InputError("The file does not say the unit of its values.", hint=f"Say it: --unit {usual}, say.")

    def note(self, sentence: str) -> None:
        """Something to say of how the file as a whole was understood."""
        self._notes.append(sentence)

    def row(self, line: int, time: str, value: str, unit: str = "", mark: str = "") -> None:
        """One row that should be a reading; `mark` is a word for its quality.

        Raises:
            InputError: the time is a wall clock's and the zone is not given.
        """
        try:
            moment = self._clock.read(line, time)
            code = self._row_unit(unit)
            number, beyond = self._value(value, code)
        except UnreadableError as error:
            self.problem(line, str(error))
        else:
            self._rows.append((line, moment, number, code, _quality(beyond, mark)))

    def sample(self, number: int, instant: Instant, value: float, side: int = 0, mark: str = "") -> None:
        """The sample of that number, which came as a number at a known instant; -1 as `side` says that it is the least
        that the sensor shows, 1 the greatest. `mark` is words for its quality."""
        assert self._unit is not None
        try:
            self._require_plausible(value, self._unit)
        except UnreadableError as error:
            self.problem(number, str(error))
        else:
            seconds, micros, offset = instant
            quality = _quality(_SIDE_QUALITY.get(side, ""), mark)
            self._samples.append(Reading(seconds, value, self._unit, offset, quality, micros=micros))

    def problem(self, line: int, reason: str) -> None:
        """One row that cannot be read.

        Raises:
            InputError: there are over MOST_PROBLEMS of them.
        """
        if len(self._problems) >= MOST_PROBLEMS:
            raise InputError(
                f"Over {MOST_PROBLEMS:,} rows cannot be read; the last is {line}: {reason}.",
                hint="It is no such file, or the options are another's.",
            )
        self._problems.append(Problem(line, reason))

    def other(self, kind: str, count: int = 1) -> None:
        """Rows of a kind that is not imported."""
        if count:
            self._others[kind] += count

    def finish(self, source_format: str, lines: int, row_word: str = "line") -> Import:
        """The whole file's import.

        Raises:
            InputError: the order of dates is open, the unit must be wrong, or the file has no row.
        """
        self._clock.settle()
        rows = len(self._rows) + len(self._samples) + len(self._problems)
        for rival, count in self._in_rival_unit.items():
            if count > _SUSPECT_VALUES and count * 10 > rows:
                raise InputError(
                    f"{count} values cannot be in the unit that the file or --unit says, but could be in {rival}.",
                    hint=f"If {rival} it is, say --unit {rival}, and mend the file where it says another.",
                )
        placed = self._placed()
        if not (placed or self._problems or self._others):
            raise InputError("The file has headings and no rows.")
        readings, repeats = _without_repeats(placed)
        interval, gaps = _gaps(readings)
        return Import(
            source_format=source_format,
            category=self.options.category,
            readings=tuple(readings),
            problems=tuple(sorted(self._problems, key=lambda problem: problem.line)),
            repeats=repeats,
            others=tuple(sorted(self._others.items())),
            interval=interval,
            gaps=gaps,
            lines=lines,
            notes=(*self._clock.notes, *self._notes),
            row_word=row_word,
        )

    def _row_unit(self, text: str) -> str:
        if not text.strip():
            if self._unit is None:
                raise UnreadableError("there is no unit (--unit says it for such rows)")
            return self._unit
        code = unit_code(text, self.options.category)
        if code is None:
            raise UnreadableError(f"the unit is none that {self.options.category} is measured in")
        if self.options.unit not in {None, code}:
            raise UnreadableError(f"the unit is {code}, --unit says {self.options.unit}")
        return code

    def _value(self, text: str, unit: str) -> tuple[float, str]:
        side, limit = bound(text)
        number = _limit(side, self._shown(unit)) if side and not limit else self._numbers.read(limit or text)
        self._require_plausible(number, unit)
        if self._sensor.clips and not side:
            side = _side(number, self._shown(unit))
        return number, _SIDE_QUALITY.get(side, "")

    def _require_plausible(self, number: float, unit: str) -> None:
        least, greatest = plausible(self.options.category, unit)
        if not least <= number <= greatest:
            rival = rival_unit(self.options.category, unit, number)
            if rival is None:
                raise UnreadableError(f"the value cannot be {self.options.category} in {unit}")
            self._in_rival_unit[rival] += 1
            raise UnreadableError(
                f"the value cannot be {self.options.category} in {unit}; in {rival} it could (--unit)"
            )

    def _shown(self, unit: str) -> tuple[float | None, float | None]:
        """The least and the greatest value that the sensor shows, where they are known."""
        said = self.options.sensor_range
        if said is None:
            return self._sensor.ranges.get(unit, (None, None))
        least, greatest = plausible(self.options.category, unit)
        if not least <= said[0] < said[1] <= greatest:
            raise InputError(f"--sensor-range cannot be {self.options.category} in {unit}.", hint=f"Give it in {unit}.")
        return said

    def _placed(self) -> list[Reading]:
        placed = list(self._samples)
        for line, moment, value, unit, quality in self._rows:
            try:
                seconds, offset = self._clock.place(moment)
            except UnreadableError as error:
                self.problem(line, str(error))
                continue
            if seconds < CLOCK_SET:
                self.problem(line, "the time is of 1970, as of a clock that was never set")
            else:
                placed.append(Reading(seconds, value, unit, offset, quality))
        return placed


@cache
def _quality(*marks: str) -> str:
    return " ".join(sorted({word for mark in marks for word in mark.split()}))


def _limit(side: int, shown: tuple[float | None, float | None]) -> float:
    """What the sensor shows for the last value before it says only "Low" or "High"."""
    limit = shown[0] if side < 0 else shown[1]
    if limit is None:
        raise UnreadableError("the value is beyond what the sensor shows; say what that is with --sensor-range")
    return limit


def _side(number: float, shown: tuple[float | None, float | None]) -> int:
    """-1 for the least value that the sensor shows or a lesser one, 1 for the greatest, 0 between them."""
    least, greatest = shown
    if least is not None and number <= least:
        return -1
    return int(greatest is not None and number >= greatest)


def _without_repeats(placed: list[Reading]) -> tuple[list[Reading], int]:
    """Readings by time: of equal time, value, unit and quality the first; of equal time alone all, marked."""
    kept: list[Reading] = []
    for _, group in groupby(sorted(placed, key=_INSTANT), key=_INSTANT):
        found = {(reading.value, reading.unit, reading.quality): reading for reading in reversed(list(group))}
        alone = len(found) == 1
        kept.extend(found[key] if alone else found[key].marked(REPEAT_OTHER_VALUE) for key in sorted(found))
    return kept, len(placed) - len(kept)


def _gaps(readings: list[Reading]) -> tuple[float | None, tuple[Gap, ...]]:
    """The usual number of seconds between readings, if half of the steps come near it, and the gaps."""
    times = sorted({reading.seconds * _MICROS + reading.micros for reading in readings})
    steps = [later - earlier for earlier, later in pairwise(times)]
    if not steps:
        return None, ()
    usual = median_low(steps)
    if sum(usual <= 2 * step <= 3 * usual for step in steps) * 2 < len(steps):
        return None, ()
    wide = ((earlier, later) for earlier, later in pairwise(times) if 2 * (later - earlier) > 3 * usual)
    return _seconds(usual), tuple(Gap(_seconds(earlier), _seconds(later)) for earlier, later in wide)


def _seconds(micros: int) -> float:
    """Whole seconds stay whole numbers."""
    return micros / _MICROS if micros % _MICROS else micros // _MICROS

"""What a picture shows, and the same said in a few sentences, for whoever does not see it.

Readings of a scene have one unit: values of different units are never drawn on one axis. What a gateway set aside
(`suspect`) or nobody vouches for (`unverified`) is drawn as stretches, from the first such reading to the last in a
row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from itertools import groupby

from ...client import TwinReading
from ...readings import SUSPECT, UNVERIFIED
from ...vocabulary import known_unit
from .. import times
from ..words import listed

MEANT = {
    SUSPECT: "set aside by the gateway (suspect)",
    UNVERIFIED: "followed, and nobody vouches for them (unverified)",
}
"""The verdicts on readings, and what each means."""
_BRIEF = timedelta(minutes=20)
_TOLD = 3
"""Stretches of a kind that are told one by one."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a twin's value is taken to be at a time: the mean, and intervals by their per cent, the narrowest first."""

    at: datetime
    mean: float
    intervals: tuple[tuple[int, float, float], ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of readings with one verdict: from the first to the last, how many, and why, where that is said."""

    verdict: str
    begin: datetime
    end: datetime
    count: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: readings of a category in one `unit`, by time; all times are local ones.

    `band` is the target range. `state` is what the twin's filter holds for true along the readings, `forecast` what it
    expects after them, from readings that nobody vouches for if `unverified`. `age` is in seconds, of the twin's newest
    reading. `zone` is the times', where it is known.
    """

    title: str
    category: str
    unit: str
    readings: Sequence[TwinReading]
    zone: tzinfo | None = None
    band: tuple[float, float] | None = None
    state: Sequence[Expected] = ()
    forecast: Sequence[Expected] = ()
    age: int | None = None
    stale: bool = False
    unverified: bool = False
    stretches: Sequence[Stretch] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stretches", tuple(_stretches(self.readings)))

    @property
    def offsets(self) -> str:
        """The offsets from UTC that its times are at, in their order: `+0200 and +0100`."""
        moments = [each.at for each in self.readings] + [each.at for each in (*self.state, *self.forecast)]
        return listed(list(dict.fromkeys(each.strftime("%z") for each in moments)))

    @property
    def brief(self) -> bool:
        """Whether it is of minutes, so that seconds matter."""
        return self.readings[-1].at - self.readings[0].at < _BRIEF

    def value(self, number: float) -> str:
        """A value as it is shown, without its unit."""
        unit = known_unit(self.unit)
        return f"{number:.{unit.decimals}f}" if unit else f"{number:g}"

    def time(self, at: datetime) -> str:
        return at.strftime("%Y-%m-%d %H:%M:%S %z" if self.brief and len(self.readings) > 1 else "%Y-%m-%d %H:%M %z")


def told(scene: Scene) -> str:
    """All that the picture shows, in sentences.

    Raises:
        ValueError: it shows nothing.
    """
    return " ".join([*_readings_told(scene), *_stretches_told(scene), *_expected_told(scene)])


def _readings_told(scene: Scene) -> list[str]:
    first, last, title = scene.readings[0], scene.readings[-1], scene.title[:1].upper() + scene.title[1:]
    values = [each.value for each in scene.readings]
    if len(values) == 1:
        said = [f"{title}: one reading, {scene.value(first.value)} {scene.unit} at {scene.time(first.at)}."]
    else:
        said = [
            f"{title}: {len(values):,} readings from {scene.time(first.at)} to {scene.time(last.at)}, between "
            f"{scene.value(min(values))} and {scene.value(max(values))} {scene.unit}, the last "
            f"{scene.value(last.value)} {scene.unit}."
        ]
    if scene.age is not None:
        stale = "; that is STALE" if scene.stale else ""
        said.append(f"The twin's newest reading is {times.span(max(scene.age, 0))} old{stale}.")
    if scene.band is not None:
        low, high = scene.band
        below = sum(each < low for each in values)
        above = sum(each > high for each in values)
        said.append(
            f"{len(values) - below - above:,} lie in the target range of {scene.value(low)} to {scene.value(high)}, "
            f"{below:,} below and {above:,} above it."
        )
    return said


def _stretches_told(scene: Scene) -> list[str]:
    said = []
    for verdict, meaning in MEANT.items():
        own = [each for each in scene.stretches if each.verdict == verdict]
        if not own:
            continue
        readings = sum(each.count for each in own)
        shown = [
            f"from {scene.time(each.begin)} to {scene.time(each.end)}" + (f" ({each.why})" if each.why else "")
            for each in own[:_TOLD]
        ]
        if len(own) > _TOLD:
            shown.append(f"in {len(own) - _TOLD} more stretches")
        said.append(f"{readings:,} {'is' if readings == 1 else 'are'} {meaning}: {listed(shown)}.")
    return said


def _expected_told(scene: Scene) -> list[str]:
    said = []
    if scene.state:
        said.append(f"The twin's own state at its newest is {_expectation(scene, scene.state[-1])}.")
    if scene.forecast:
        said += [f"Expected at {scene.time(one.at)} is {_expectation(scene, one)}." for one in scene.forecast]
    if scene.unverified:
        said.append("Nobody vouches for what is expected: the newest readings are suspect or unverified.")
    return said


def _expectation(scene: Scene, one: Expected) -> str:
    intervals = [f"{percent} %: {scene.value(low)} to {scene.value(high)}" for percent, low, high in one.intervals]
    return f"{scene.value(one.mean)} {scene.unit}" + (f" ({'; '.join(intervals)})" if intervals else "")


def _stretches(readings: Sequence[TwinReading]) -> list[Stretch]:
    """Runs of readings that have one verdict; of a reading with both the graver, `suspect`."""
    found = []
    for verdict, run in groupby(readings, _verdict):
        if verdict:
            some = list(run)
            why = next((each.why for each in some if each.why), "")
            found.append(Stretch(verdict, some[0].at, some[-1].at, len(some), why))
    return found


def _verdict(reading: TwinReading) -> str:
    words = reading.quality.split()
    return next((verdict for verdict in MEANT if verdict in words), "")

"""The correction of one value: which one is meant, what it is instead, and that nothing beside it changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...errors import InputError
from .. import times
from ..app import App
from ..words import listed as as_list
from .correction import Correction, second

if TYPE_CHECKING:
    from ...client import Listed, Readings, TwinReading
    from ...readings import Reading


def of_one(
    app: App,
    listed: Listed,
    stands: Readings | None,
    at: str,
    was: float | None,
    value: float | None,
    unit: str | None,
) -> Correction:
    """The value at one time is another, or (`value` None) withdrawn. What else stands there is repeated, and stays.

    Raises:
        InputError: nothing stands there, several do and it is not said which, the same does, or the unit is not said.
    """
    from ...readings import Reading

    seconds = times.beginning(at, app.client.context.clock(), app.zone)
    if stands is None and was is not None:
        raise InputError("What stood there, the owner alone can see.", hint="Leave --was out: all there is replaced.")
    there = [] if stands is None else _at(stands, seconds)
    if stands is not None and not there:
        raise InputError(
            f"Nothing of the snapshot stands at {app.time(seconds)}.", hint="`dtledger twin read` shows what does."
        )
    old = _which(there, was) if there else None
    seconds = second(old) if old else seconds
    others = tuple(_again(each, each.value, each.unit, each.quality) for each in there if each is not old)
    said = words_of([(old.value, old.unit)])[0] if old else "what stands there"
    if value is None:
        return Correction(others, (seconds,), f"at {app.time(seconds)} {said} is withdrawn")
    assert listed.category is not None
    code = _unit(listed.category, unit, old)
    if any((each.value, each.unit) == (value, code) for each in there):
        raise InputError("That value stands there already.")
    new = _again(old, value, code, _source(old)) if old else Reading(seconds, value, code)
    words = f"at {app.time(seconds)} it is {words_of([(value, code)])[0]} instead of {said}"
    return Correction((*others, new), (seconds,), words)


def _at(stands: Readings, seconds: int) -> list[TwinReading]:
    """The values at that second; where none is, and the second is a whole minute, those in the minute."""
    exact = [each for each in stands if second(each) == seconds]
    if exact or seconds % 60:
        return exact
    there = [each for each in stands if second(each) // 60 == seconds // 60]
    if len({second(each) for each in there}) > 1:
        stamps = as_list(sorted({datetime.fromtimestamp(second(each), UTC).isoformat() for each in there}))
        raise InputError("Several values stand in that minute.", hint=f"Name the second: {stamps}.")
    return there


def _which(there: list[TwinReading], was: float | None) -> TwinReading:
    """The one value that is meant, by what it was as it is shown."""
    meant = [each for each in there if was is None or was in (each.value, _shown(each))]
    if len(meant) == 1:
        return meant[0]
    values = as_list(words_of((each.value, each.unit) for each in there))
    raise InputError(f"At that time stand {values}.", hint="Name which is wrong: --was VALUE.")


def _shown(each: TwinReading) -> float:
    from ...vocabulary import known_unit

    unit = known_unit(each.unit)
    return round(each.value, unit.decimals) if unit else each.value


def _source(each: TwinReading) -> str:
    """What a value is, be it ever so wrong: a fingerstick stays one."""
    from ...readings import SOURCES

    return " ".join(word for word in each.quality.split() if word in SOURCES)


def _again(each: TwinReading, value: float, unit: str, quality: str) -> Reading:
    from ...readings import Reading

    return replace(Reading.at_time(each.at, value, unit), quality=quality, micros=each.at.microsecond)


def _unit(category: str, unit: str | None, old: TwinReading | None) -> str:
    from ...client.collecting import unit_for

    if unit is not None:
        return unit_for(category, unit).code
    if old is None:
        raise InputError("In which unit is the value?", hint="Say it: --unit mmol/L, or --unit mg/dL.")
    return old.unit


def words_of(values: Iterable[tuple[float, str]]) -> list[str]:
    """Values with their units.

    >>> words_of([(7.0, "mmol/L"), (126.5, "mg/dL")])
    ['7 mmol/L', '126.5 mg/dL']
    """
    return [f"{value:.10g} {unit}" for value, unit in values]

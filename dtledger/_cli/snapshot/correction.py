"""What a correction changes: from the options of `snapshot amend` to readings, and to the words for them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from .. import times
from ..app import App
from ..words import listed as as_list
from ..words import period_words

if TYPE_CHECKING:
    from ...client import Listed, Readings, TwinReading
    from ...readings import Reading

Value = tuple[float, str]
"""A value and its unit."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What should stand, the seconds whose values it takes the place of (None: all), and both in words."""

    readings: tuple[Reading, ...]
    replaces: tuple[int, ...] | None
    words: str


def standing(app: App, listed: Listed) -> Readings | None:
    """What stands of the snapshot as it was corrected so far, if this key is the owner's. WRITE alone opens nothing.

    Raises:
        UnreachableError: too few custodians answer.
    """
    from ...vocabulary import Purpose

    client, manifest = app.client, listed.found.manifest
    if client.context.view().owner(manifest.twin) != client.address:
        return None
    assert listed.category is not None
    return client.reader.read(
        manifest.twin, listed.category, Purpose.PATRQT, manifest.period, snapshot=listed.found.digest
    )


def of_all(stands: Readings | None) -> Correction:
    """Everything is withdrawn."""
    if stands is not None and not len(stands):
        raise InputError("None of the snapshot's values stands any more.")
    count = "" if stands is None else f"{len(stands):,} "
    return Correction((), None, f"all its {count}values are withdrawn")


def of_one(
    app: App, listed: Listed, stands: Readings | None, at: str, value: float | None, unit: str | None
) -> Correction:
    """The value at one time is another, or (`value` None) withdrawn.

    Raises:
        InputError: nothing stands there, several do, the same does, or the unit is not said.
    """
    from ...readings import Reading

    seconds = times.beginning(at, app.client.context.clock(), app.zone)
    there = [] if stands is None else _at(stands, seconds)
    if stands is not None and not there:
        raise InputError(
            f"Nothing of the snapshot stands at {app.time(seconds)}.", hint="`dtledger twin read` shows what does."
        )
    seconds = _second(there[0]) if there else seconds
    old = as_list(words_of((each.value, each.unit) for each in there)) if there else "what stands there"
    if value is None:
        return Correction((), (seconds,), f"at {app.time(seconds)} {old} is withdrawn")
    assert listed.category is not None
    code = _unit(listed.category, unit, there)
    if any((each.value, each.unit) == (value, code) for each in there):
        raise InputError("That value stands there already.")
    offset = there[0].at.utcoffset() if there else None
    minutes = None if offset is None else int(offset.total_seconds()) // 60
    (new,) = words_of([(value, code)])
    words = f"at {app.time(seconds)} it is {new} instead of {old}"
    return Correction((Reading(seconds, value, code, minutes),), (seconds,), words)


def of_file(app: App, listed: Listed, stands: Readings | None, file: str, format_: str, **reading: Any) -> Correction:
    """All is as the file has it.

    Raises:
        InputError: the file cannot be read whole, holds nothing of the snapshot's minutes, or says what stands.
    """
    from ...importers import read_file

    source = sys.stdin.buffer if file == "-" else Path(file).expanduser()
    assert listed.category is not None
    imported = read_file(source, format_, category=listed.category, **reading)
    for problem in imported.problems:
        app.say(f"  line {problem.line}: {problem.reason}")
    if imported.problems:
        raise InputError(f"{len(imported.problems)} of {imported.rows} rows cannot be read.", hint="Mend them.")
    period = listed.found.manifest.period
    inside = tuple(each for each in imported.readings if period.start <= each.minute <= period.end)
    if not inside:
        raise InputError(
            f"The file holds no reading of {period_words(app, period)}.",
            hint="To withdraw all that the snapshot holds, say --remove.",
        )
    if len(inside) < len(imported.readings):
        app.say(f"{len(imported.readings) - len(inside):,} readings of other times are left out.")
    if stands is None:
        return Correction(inside, None, f"all its values are replaced by the {len(inside):,} of the file")
    return Correction(inside, None, _difference(stands, inside))


def _difference(stands: Readings, new: tuple[Reading, ...]) -> str:
    """How many values change, time by time."""
    before: dict[int, set[Value]] = {}
    after: dict[int, set[Value]] = {}
    for each in stands:
        before.setdefault(_second(each), set()).add((each.value, each.unit))
    for reading in new:
        after.setdefault(reading.seconds, set()).add((reading.value, reading.unit))
    both = before.keys() & after.keys()
    counts = {
        "are corrected": sum(before[second] != after[second] for second in both),
        "are withdrawn": len(before.keys() - after.keys()),
        "are added": len(after.keys() - before.keys()),
    }
    if not any(counts.values()):
        raise InputError("The file says what stands already.")
    same = sum(before[second] == after[second] for second in both)
    return "of its values " + as_list(
        f"{count:,} {what}" for what, count in (counts | {"stand as they are": same}).items() if count
    )


def _at(stands: Readings, seconds: int) -> list[TwinReading]:
    """The values at that second; where none is, and the second is a whole minute, those in the minute."""
    exact = [each for each in stands if _second(each) == seconds]
    if exact or seconds % 60:
        return exact
    there = [each for each in stands if _second(each) // 60 == seconds // 60]
    if len({_second(each) for each in there}) > 1:
        stamps = as_list(sorted({datetime.fromtimestamp(_second(each), UTC).isoformat() for each in there}))
        raise InputError("Several values stand in that minute.", hint=f"Name the second: {stamps}.")
    return there


def _second(each: TwinReading) -> int:
    return int(each.at.timestamp())


def _unit(category: str, unit: str | None, there: list[TwinReading]) -> str:
    from ...client.collecting import unit_for

    if unit is not None:
        return unit_for(category, unit).code
    units = {each.unit for each in there}
    if len(units) != 1:
        raise InputError("In which unit is the value?", hint="Say it: --unit mmol/L, or --unit mg/dL.")
    return units.pop()


def words_of(values: Any) -> list[str]:
    """Values with their units.

    >>> words_of([(7.0, "mmol/L"), (126.5, "mg/dL")])
    ['7 mmol/L', '126.5 mg/dL']
    """
    return [f"{value:.10g} {unit}" for value, unit in values]

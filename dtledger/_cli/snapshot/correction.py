"""What a correction changes: from the options of `snapshot amend` to readings, and to the words for them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InputError
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
        before.setdefault(second(each), set()).add((each.value, each.unit))
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


def second(each: TwinReading) -> int:
    """Its unix second."""
    return int(each.at.timestamp())

"""Dexcom Clarity's CSV export.

The first line has the headings, in English; the next ones have no time and hold the patient's name and date of
birth, the devices and the alert settings. Then come events by wall-clock time. Events of type EGV ("estimated glucose
value") are the sensor's readings and are imported; other types are counted. `Low` and `High` stand for values
beyond 40 to 400 mg/dL (2.2 to 22.2 mmol/L), the range that Dexcom's sensors show.

Of each row only time, type of event and value are ever looked at: no name, birthday or serial number is carried over.
"""

from __future__ import annotations

from ..errors import InputError
from .intake import Intake
from .options import Options
from .result import Import
from .sensor import Sensor
from .source import Source
from .table import Table, headings
from .values import split_heading

NAME = "clarity"
TEXT = "Dexcom Clarity's CSV export"

SENSOR = Sensor({"mg/dL": (40.0, 400.0), "mmol/L": (2.2, 22.2)})
READING_EVENT = "EGV"
OTHER_EVENTS = frozenset(
    {
        *("FirstName", "LastName", "DateOfBirth", "PatientIdentifier", "Device", "Alert"),
        *("Calibration", "Insulin", "Carbs", "Exercise", "Health", "Note", "Notes", "Other"),
    }
)
"""Types of events that are counted under their names. A row of another type is a problem: it may be a shifted one."""


def recognises(opening: str, options: Options) -> bool:
    """See `Format.recognises`."""
    return headings(opening, _fit) is not None


def read(source: Source, intake: Intake) -> Import:
    """The EGV events as readings.

    Raises:
        InputError: it is no Clarity export, or something else than glucose is asked of it.
    """
    if intake.options.category != "glucose":
        raise InputError("Of a Clarity export only glucose is imported.", hint="Leave --category out.")
    if intake.options.time_column or intake.options.value_column:
        raise InputError("A Clarity export's columns are known.", hint="Leave --time-column and --value-column out.")
    found = headings(source.opening, _fit)
    if found is None:
        raise InputError("The first line has not the headings of a Clarity export in English.")
    cells = found.cells
    names = [split_heading(cell, "glucose") for cell in cells]
    time, event, value = (_place(cells, heading) for heading in ("timestamp", "event type", "glucose value"))
    intake.begin(unit=names[value][1], sensor=SENSOR)
    table = Table(source, found, intake.problem)
    for line, row in table.rows():
        kind = row[event].strip()
        if kind == READING_EVENT:
            intake.row(line, row[time], row[value])
        elif kind in OTHER_EVENTS:
            intake.other(kind)
        else:
            intake.problem(line, "the type of event is not known")
    return intake.finish(NAME, table.line)


def _fit(cells: list[str]) -> bool:
    return all(_place(cells, heading) >= 0 for heading in ("timestamp", "event type", "event subtype", "glucose value"))


def _place(cells: list[str], heading: str) -> int:
    """Where the one column of that heading is, which may name a unit or the form of its times; -1 for nowhere."""
    names = [split_heading(cell, "glucose")[0] for cell in cells]
    names = ["timestamp" if name.startswith("timestamp (") else name for name in names]
    return names.index(heading) if names.count(heading) == 1 else -1

"""LibreView's CSV export (FreeStyle Libre), with headings in English, German, Spanish or Dutch.

One line or two with the patient's name come first, then the headings, then a row for each record, by device and type.
Records of type 0, `Historic Glucose`, are the values that the sensor keeps by itself, and are imported; other types
are counted. `--value-column` chooses scans (type 1) or strips (type 2) instead, each marked as what it is; carbohydrate
and insulin are chosen by `--category`. Abbott publishes no description; this is what exports of several countries are.

Times are the device's wall clock, day first or month first as the account has it, with AM and PM or without. A value
below what the sensor shows is written as its floor, 40 mg/dL or 2.2 mmol/L, and marked. The ceiling is 400 mg/dL in
some countries and 500 in others: values there are marked where `--sensor-range` says it.

Of each row only time, type and value are ever looked at, and whether others are empty: no name or serial number is
carried over.
"""

from __future__ import annotations

import re

from ..errors import InputError
from ..readings import FINGERSTICK, LONG_ACTING, SCAN
from .columns import Column, choose
from .intake import Intake
from .options import Options
from .result import Import
from .sensor import UNKNOWN_SENSOR, Sensor
from .source import Source
from .table import Table, headings
from .values import plain_heading

NAME = "libreview"
TEXT = "LibreView's CSV export"

SENSOR = Sensor({"mg/dL": (40.0, None), "mmol/L": (2.2, None)}, clips=True)
RECORDS = {"0": "historic", "1": "scan", "2": "strip", "3": "ketone", "4": "insulin", "5": "food", "6": "note"}
"""Types of records. A row of another type is a problem: it may be a shifted one."""

TIMES = {"device timestamp", "gerätezeitstempel", "sello de tiempo del dispositivo", "tijdstempel apparaat"}
TYPES = {"record type", "aufzeichnungstyp", "tipo de registro", "gegevenstype"}
_UNIT = "(?P<unit>mg/dl|mmol/l)"
HISTORIC = f"(?:historic glucose|glukosewert verlauf|historial de glucosa|historische glucose) {_UNIT}"
COLUMNS = (
    Column(HISTORIC, "glucose", usual=True, kind="0"),
    Column(f"(?:scan glucose|glukose scan|escaneo de glucosa) {_UNIT}", "glucose", mark=SCAN, kind="1"),
    Column(
        f"(?:strip glucose|glukose teststreifen|tira reactiva para glucosa) {_UNIT}",
        "glucose",
        mark=FINGERSTICK,
        kind="2",
    ),
    Column(
        r"rapid acting insulin \(units\)|schnellwirkendes insulin \(einheiten\)|snelwerkende insuline \(eenheden\)",
        "insulin",
        "[iU]",
        kind="4",
    ),
    Column(
        r"long acting insulin (?:value )?\(units\)|depotinsulin \(einheiten\)|langwerkende insuline \(eenheden\)",
        "insulin",
        "[iU]",
        mark=LONG_ACTING,
        kind="4",
    ),
    Column(
        r"carbohydrates \(grams\)|kohlenhydrate \(gramm\)|koolhydraten \(gram\)",
        "meals",
        "g",
        kind="5",
    ),
)

_HEADINGS_WITHIN = 3


def recognises(opening: str, options: Options) -> bool:
    """See `Format.recognises`."""
    return headings(opening, _fit, _HEADINGS_WITHIN) is not None


def read(source: Source, intake: Intake) -> Import:
    """The records of one type as readings.

    Raises:
        InputError: it is no LibreView export, or the options choose none of its columns.
    """
    found = headings(source.opening, _fit, _HEADINGS_WITHIN)
    if found is None:
        raise InputError("The first lines have not the headings of a LibreView export.")
    if intake.options.time_column:
        raise InputError("A LibreView export's column of times is known.", hint="Leave --time-column out.")
    names = [plain_heading(cell) for cell in found.cells]
    time, record = (next(place for place, name in enumerate(names) if name in known) for known in (TIMES, TYPES))
    choice = choose(COLUMNS, found.cells, intake.options)
    column = choice.column
    intake.begin(unit=choice.unit, sensor=SENSOR if column.kind in {"0", "1"} else UNKNOWN_SENSOR)
    table = Table(source, found, intake.problem)
    for line, row in table.rows():
        kind, value = row[record].strip(), row[choice.place]
        choice.count(row)
        if kind not in RECORDS:
            intake.problem(line, "the record type is not known")
        elif kind == column.kind and (value.strip() or column.category == "glucose"):
            intake.row(line, row[time], value, mark=column.mark)
        else:
            intake.other(RECORDS[kind])
    if note := choice.note():
        intake.note(note)
    return intake.finish(NAME, table.line)


def _fit(cells: list[str]) -> bool:
    names = {plain_heading(cell) for cell in cells}
    return bool(names & TIMES and names & TYPES) and any(re.fullmatch(HISTORIC, name) for name in names)

"""The files of T1D-UOM (Alsuhaymi et al., Scientific Data 2025), each of one kind, told by its headings.

    Glucose     bg_ts, value                     glucose, mmol/L
    Bolus       bolus_ts, bolus_dose             insulin, [iU]
    Basal       basal_ts, basal_dose, …          insulin: a pump's rate in [iU]/h (kind R), a long-acting dose in [iU]
                                                 (kind L), which is marked
    Nutrition   meal_ts, …, carbs_g, …           meals, g of carbohydrate
    sleep       sleep_ts, …, heart_rate, …       heart-rate, /min; 0 means that there was none

Units are those of the set's data dictionary. A `--unit` or columns that contradict it go before: then the file is plain
CSV. The dictionary's order of dates is not trusted: the files are day first. Times are a wall clock's. Values beyond
what the sensor shows are written as its limit, and sensors differ, so they are marked where `--sensor-range` says it.
"""

from __future__ import annotations

from ..errors import InputError
from ..readings import LONG_ACTING
from .columns import Column, choose
from .intake import Intake
from .options import Options
from .result import Import
from .sensor import UNKNOWN_SENSOR, Sensor
from .source import Source
from .table import Table, headings
from .values import plain_heading

NAME = "t1d-uom"
TEXT = "a file of T1D-UOM"

KINDS = (
    ("bg ts", "value"),
    ("bolus ts", "bolus dose"),
    ("basal ts", "basal dose", "insulin kind"),
    ("meal ts", "meal type", "meal tag", "carbs g", "prot g", "fat g", "fibre g"),
    (
        *("sleep ts", "step count", "heart rate", "current activity type intensity"),
        *("stress level value", "sleep level", "resting heart rate"),
    ),
    (
        *("activity ts", "activity type", "active kcal", "step count", "distance m", "duration s", "active time s"),
        *("start time s", "start time offset s", "met", "intensity", "motion intensity mean", "motion intensity max"),
    ),
)
"""The headings of each kind of file."""

COLUMNS = (
    Column("value", "glucose", "mmol/L"),
    Column("bolus dose", "insulin", "[iU]"),
    Column("basal dose", "insulin"),
    Column("carbs g", "meals", "g"),
    Column("heart rate", "heart-rate", "/min"),
    Column("meal type|meal tag|prot g|fat g|fibre g"),
    Column("step count|current activity type intensity|stress level value|sleep level|resting heart rate"),
)
BASAL = {"R": ("[iU]/h", ""), "L": ("[iU]", LONG_ACTING)}
"""Unit and mark by kind of insulin: rapid by pump, long-acting by pen."""


def recognises(opening: str, options: Options) -> bool:
    """See `Format.recognises`."""
    found = headings(opening, _fit)
    if found is None or options.time_column or options.value_column:
        return False
    return _plain(found.cells) != KINDS[0] or options.unit in {None, "mmol/L"}


def read(source: Source, intake: Intake) -> Import:
    """The one kind of values that the file has.

    Raises:
        InputError: it is no file of T1D-UOM, or of another category than is asked for.
    """
    found = headings(source.opening, _fit)
    if found is None:
        raise InputError("The first line has not the headings of a file of T1D-UOM.")
    names = _plain(found.cells)
    choice = choose(COLUMNS, found.cells, intake.options)
    category, basal = choice.column.category, names == KINDS[2]
    clips = category == "glucose"
    intake.begin(unit=choice.unit, unit_column=basal, sensor=Sensor(clips=True) if clips else UNKNOWN_SENSOR)
    table = Table(source, found, intake.problem)
    for line, row in table.rows():
        value, (unit, mark) = row[choice.place], BASAL.get(row[2].strip(), ("", "")) if basal else ("", "")
        choice.count(row)
        if category == "heart-rate" and value.strip() == "0":
            intake.other("missing")
        elif basal and not unit:
            intake.problem(line, "the kind of insulin is neither R nor L")
        else:
            intake.row(line, row[0], value, unit, mark)
    if clips:
        intake.note("Read as a file of T1D-UOM, whose glucose is in mmol/L.")
    if clips and intake.options.sensor_range is None:
        intake.note("Values at the sensor's limits are not marked: --sensor-range says what these are.")
    if note := choice.note():
        intake.note(note)
    return intake.finish(NAME, table.line)


def _plain(cells: list[str]) -> tuple[str, ...]:
    """Headings, without the empty ones that a spreadsheet leaves at the end."""
    names = [plain_heading(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _fit(cells: list[str]) -> bool:
    return _plain(cells) in KINDS

"""The workbooks of ShanghaiT1DM and ShanghaiT2DM (Zhao et al., Scientific Data 2023), one person's segment each.

A row has a time and, where there is one, the sensor's value (`CGM`), a fingerstick's (`CBG`), ketones, meals and
medicines in words, and the doses of an insulin pump. Without a word the sensor's values are imported, in mg/dL. They
are FreeStyle Libre's whole tenths of mmol/L times 18: the floor of 2.2 mmol/L is 39.6 mg/dL, and a value there is
marked, as the true one may be lower.

    --category insulin --value-column "CSII - bolus insulin (Novolin R, IU)"           in [iU]
    --category insulin --value-column "CSII - basal insulin (Novolin R, IU / H)"       in [iU]/h
    --value-column "CBG (mg / dl)"                     glucose of fingersticks, each marked so

Meals, injections and infusions are sentences there ("Egg 69 g, …"), and a reading is a number: they are not imported.
"""

from __future__ import annotations

from ..errors import InputError
from ..readings import FINGERSTICK
from .columns import Column, choose
from .intake import Intake
from .options import Options
from .result import Import
from .sensor import UNKNOWN_SENSOR, Sensor
from .source import Source
from .table import Table, headings
from .values import plain_heading

NAME = "shanghai"
TEXT = "a workbook of ShanghaiT1DM or ShanghaiT2DM"

SENSOR = Sensor({"mg/dL": (39.6, 500.4)}, clips=True)
COLUMNS = (
    Column(r"cgm \(mg / dl\)", "glucose", "mg/dL", usual=True),
    Column(r"cbg \(mg / dl\)", "glucose", "mg/dL", mark=FINGERSTICK),
    Column(r"csii bolus insulin \(.*\biu\)", "insulin", "[iU]"),
    Column(r"csii basal insulin \(.*\biu / h\)", "insulin", "[iU]/h"),
    Column(r"blood ketone .*|dietary intake|insulin dose .*|non insulin hypoglycemic agents"),
)


def recognises(opening: str, options: Options) -> bool:
    """See `Format.recognises`."""
    return headings(opening, _fit) is not None


def read(source: Source, intake: Intake) -> Import:
    """One column's values; rows without one are counted as missing.

    Raises:
        InputError: it is no such workbook, or the options choose none of its columns.
    """
    found = headings(source.opening, _fit)
    if found is None:
        raise InputError("The first row has not the headings of a workbook of ShanghaiT1DM or ShanghaiT2DM.")
    if intake.options.time_column:
        raise InputError("The column of times is known.", hint="Leave --time-column out.")
    choice = choose(COLUMNS, found.cells, intake.options)
    intake.begin(unit=choice.unit, sensor=SENSOR if choice.column.usual else UNKNOWN_SENSOR)
    table = Table(source, found, intake.problem)
    for line, row in table.rows():
        choice.count(row)
        if row[choice.place].strip():
            intake.row(line, row[0], row[choice.place], mark=choice.column.mark)
        else:
            intake.other("missing")
    if note := choice.note():
        intake.note(note)
    return intake.finish(NAME, table.line)


def _fit(cells: list[str]) -> bool:
    names = [plain_heading(cell) for cell in cells]
    return names[:2] == ["date", "cgm (mg / dl)"] and "cbg (mg / dl)" in names

"""Plain CSV: one row a reading, headings in the first line.

    time                  time, timestamp, datetime, date time, date/time, date, ts, bg_ts; or the pair date and time
    value                 value, reading, glucose, glucose value, sensor glucose, blood glucose, bg, cgm, or the
                          category's own name; with its unit if it likes: glucose (mg/dL), glucose_mmol_l
    unit                  unit, units; a row's own unit goes before the heading's

Case, spaces and underscores do not matter; other columns are left alone. `--time-column` and `--value-column` name
columns with other headings, and settle which where there are two. Delimiters are `,` `;` and tab.
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import InputError
from .intake import Intake
from .options import Options
from .result import Import
from .source import Source
from .table import Table, headings
from .values import split_heading

NAME = "csv"
TEXT = "plain CSV with a time, a value and perhaps a unit in each row"

TIME_HEADINGS = ("time", "timestamp", "datetime", "date time", "date/time", "ts", "bg ts")
VALUE_HEADINGS = ("value", "reading")
GLUCOSE_HEADINGS = ("glucose", "glucose value", "sensor glucose", "blood glucose", "bg", "cgm")
UNIT_HEADINGS = ("unit", "units")


class _Columns(NamedTuple):
    """Places of the columns, several where several fit; `dates` is filled only if date and time stand apart."""

    times: list[int]
    dates: list[int]
    values: list[int]
    units: list[int]
    names: list[tuple[str, str | None]]


def recognises(opening: str, options: Options) -> bool:
    """See `Format.recognises`."""
    return headings(opening, lambda cells: _fit(cells, options)) is not None


def read(source: Source, intake: Intake) -> Import:
    """Every row as a reading.

    Raises:
        InputError: the headings do not say which column is which, or what their unit is.
    """
    options = intake.options
    found = headings(source.opening, lambda cells: _fit(cells, options))
    if found is None:
        raise InputError("The first line does not name a column of times and one of values.", hint=advice(options))
    cells = found.cells
    columns = _columns(cells, options)
    time = _one(columns.times, "time")
    value = _one(columns.values, "value")
    if len(columns.units) > 1 or len(columns.dates) > 1:
        raise InputError("The file has two columns of the same heading.", hint="Rename one.")
    date, unit = (places[0] if places else None for places in (columns.dates, columns.units))
    intake.begin(unit=columns.names[value][1], unit_column=unit is not None)
    table = Table(source, found, intake.problem)
    for line, row in table.rows():
        text = row[time] if date is None else f"{row[date]} {row[time]}"
        intake.row(line, text, row[value], "" if unit is None else row[unit])
    return intake.finish(NAME, table.line)


def advice(options: Options) -> str:
    """The headings that are known, in a sentence."""
    values = ", ".join(_value_headings(options.category))
    return (
        f"Times: {', '.join(TIME_HEADINGS)}, date; values: {values}; for others say --time-column and --value-column."
    )


def _value_headings(category: str) -> tuple[str, ...]:
    own = GLUCOSE_HEADINGS if category == "glucose" else (category.replace("-", " "),)
    return VALUE_HEADINGS + own


def _fit(cells: list[str], options: Options) -> bool:
    columns = _columns(cells, options)
    return bool(columns.times and columns.values)


def _columns(cells: list[str], options: Options) -> _Columns:
    names = [split_heading(cell, options.category) for cell in cells]

    def places(known: tuple[str, ...], named: str | None = None) -> list[int]:
        if named is None:
            return [place for place, (name, _) in enumerate(names) if name in known]
        wanted, unit = split_heading(named, options.category)
        return [place for place, (name, own) in enumerate(names) if name == wanted and unit in {None, own}]

    dates = places(("date",))
    times = places(TIME_HEADINGS, options.time_column)
    if options.time_column is None:
        times = times or dates
    apart = dates and len(times) == 1 and names[times[0]][0] == "time"
    return _Columns(
        times=times,
        dates=dates if apart else [],
        values=places(_value_headings(options.category), options.value_column),
        units=places(UNIT_HEADINGS),
        names=names,
    )


def _one(places: list[int], what: str) -> int:
    if len(places) > 1:
        raise InputError(f"The file has more than one column of {what}s.", hint=f"Say which: --{what}-column HEADING.")
    return places[0]

"""Device exports become readings. Nothing is dropped in silence, nothing is guessed.

A row that cannot be read is a `Problem` with its line and a reason that quotes no cell. What the file does not say
and the person must (zone, unit, order of dates) is an `InputError` that names the option which settles it.

>>> import io
>>> file = io.BytesIO(b"time,glucose (mmol/L)\\n02/11/2026 00:05,8.6\\n13/11/2026 00:05,oops\\n")
>>> done = read_file(file, tz="Europe/London")
>>> done.readings[0].at.isoformat(), done.readings[0].value, done.readings[0].unit
('2026-11-02T00:05:00+00:00', 8.6, 'mmol/L')
>>> done.problems
(Problem(line=3, reason='the value is not a number'),)
>>> done.notes
('Dates were read day first, which line 3 proves.',)

A format is one module with `NAME`, `TEXT`, `recognises` and `read` (the protocol `Format`), listed in `FORMATS`.
"""

from __future__ import annotations

import os
from importlib import resources
from typing import BinaryIO, Protocol

from ..errors import InputError
from . import clarity, libreview, opensignals, plain_csv, shanghai, t1d_uom, wfdb
from .intake import Intake
from .options import DATE_ORDERS, DateOrder, Options
from .result import Gap, Import, Problem
from .source import MAX_FILE_BYTES, Source, open_source

__all__ = [
    "DATE_ORDERS",
    "FORMATS",
    "MAX_FILE_BYTES",
    "SAMPLE",
    "DateOrder",
    "Format",
    "Gap",
    "Import",
    "Problem",
    "read_file",
    "sniff",
]


SAMPLE = resources.files("dtledger") / "data" / "sample-glucose.csv"
"""A fortnight of a simulated patient's glucose, in the package (see the README beside it)."""


class Format(Protocol):
    """One kind of file."""

    NAME: str
    """What `--format` calls it."""
    TEXT: str
    """What it is, in a few words."""

    def recognises(self, opening: str, options: Options) -> bool:
        """Whether a file that begins with this text is of the kind. Never raises."""

    def read(self, source: Source, intake: Intake) -> Import:
        """Hand every row to the intake, and give back what it makes of them."""


FORMATS: tuple[Format, ...] = (clarity, libreview, shanghai, t1d_uom, opensignals, wfdb, plain_csv)
"""Every format, the more particular before the more general."""
RECORDINGS: tuple[Format, ...] = (opensignals, wfdb)
"""Those of signals, which say once when they began."""


def read_file(
    file: str | os.PathLike[str] | BinaryIO,
    format: str = "auto",  # noqa: A002 the word that the command line has
    *,
    category: str = "glucose",
    tz: str | None = None,
    utc_offset: str | None = None,
    unit: str | None = None,
    date_order: str | None = None,
    sensor_range: tuple[float, float] | None = None,
    time_column: str | None = None,
    value_column: str | None = None,
    start: str | None = None,
) -> Import:
    """The readings of one export, in the order of time, and an account of every other row.

    Args:
        file: a path or a binary stream; UTF-8, UTF-16 with a byte-order mark, or an Excel workbook of one sheet
            (with the extra `dtledger[excel]`), perhaps gzipped.
        format: the `NAME` of one of `FORMATS`, or "auto".
        category: what the values are; of a file with several it chooses.
        tz: the IANA zone of the wall clock that wrote the times, "Europe/London" say.
        utc_offset: instead of `tz`, the clock's fixed offset, "+01:00" say. Times with an offset need neither.
        unit: the values' UCUM unit, where the file does not say it.
        date_order: "dmy", "mdy" or "ymd", where the file does not prove it. Dates that begin with a year of
            four digits need none.
        sensor_range: the least and the greatest value that the sensor shows, for files that say "Low" and "High", or
            write the limit itself.
        time_column, value_column: headings of a plain CSV that are none of those it knows; of another format,
            `value_column` chooses where there are several of the category.
        start: when a recording of signals began, "2026-11-02T08:00+01:00" say, where it does not say that itself.

    Raises:
        InputError: the file or an option cannot be used; the message names the option that settles it.
    """
    options = Options.checked(
        category=category,
        tz=tz,
        utc_offset=utc_offset,
        unit=unit,
        date_order=date_order,
        sensor_range=sensor_range,
        time_column=time_column,
        value_column=value_column,
        start=start,
    )
    with open_source(file) as source:
        found = _format(format, source, options)
        if options.start is not None and found not in RECORDINGS:
            raise InputError("The rows of this file say their times.", hint="Leave --start out.")
        return found.read(source, Intake(options))


def sniff(file: str | os.PathLike[str] | BinaryIO, *, category: str = "glucose") -> str:
    """The name of the format that a file has; a stream has then been read from.

    Raises:
        InputError: it cannot be read, or has none of the known formats.
    """
    with open_source(file) as source:
        return _format("auto", source, Options.checked(category=category)).NAME


def _format(name: str, source: Source, options: Options) -> Format:
    for known in FORMATS:
        if name == known.NAME or (name == "auto" and known.recognises(source.opening, options)):
            return known
    if name != "auto":
        raise InputError(f"--format is none of auto, {', '.join(known.NAME for known in FORMATS)}.")
    raise InputError(
        f"The file is neither {', nor '.join(known.TEXT for known in FORMATS)}.",
        hint=f"A plain CSV's first line names its columns. {plain_csv.advice(options)}",
    )

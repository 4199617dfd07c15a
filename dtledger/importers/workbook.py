"""An Excel workbook (`.xlsx`, `.xls`) as the CSV that its one sheet would be saved as, a line a row.

Dates come out as `2026-11-02T00:05:00`: a workbook holds them as numbers, and their order is never open. What a cell
holds as a formula is not read: the value that was kept beside it may be an old one, or none. (`.xls` keeps formulas
where its reader does not look, so there the kept value is read.)

Nothing of it is run, and nothing is unpacked before its size is known: `MAX_UNPACKED_BYTES`, `MAX_ROWS` and
`MAX_COLUMNS` bound what a small file can blow itself up to, and XML entities are refused (defusedxml).

The libraries that read workbooks are the extra `dtledger[excel]`.
"""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, Literal

from ..errors import InputError

MAX_UNPACKED_BYTES = 64 * 1024 * 1024
MAX_ROWS = 300_000
"""More than two years of five-minute readings."""
MAX_COLUMNS = 256
"""As many as an `.xls` can have."""

Kind = Literal["xlsx", "xls"]

KINDS: dict[bytes, Kind] = {b"PK\x03\x04": "xlsx", b"\xd0\xcf\x11\xe0": "xls"}
"""What a workbook begins with: a zip archive's first bytes, and those of an OLE container."""

_ADVICE = "Save the sheet as CSV."


def lines_of(data: bytes, kind: Kind, limit: int) -> list[str]:
    """The rows of the workbook's one sheet as lines of CSV, at most `limit` characters in all; row n is line n.

    Raises:
        InputError: it is no workbook, needs a password, is damaged, too large, has several sheets with something in
            them, or the libraries are not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and charts, which are not looked at
            return _only(_xlsx(data) if kind == "xlsx" else _xls(data), limit)
    except ModuleNotFoundError as error:
        raise InputError(
            "Excel workbooks are read with libraries that are not installed.",
            hint=f"Install them: pip install 'dtledger[excel]'. Or: {_ADVICE}",
        ) from error
    except (InputError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 the libraries raise whatever a damaged file makes them stumble over
        raise InputError(
            "The file is no Excel workbook that can be read: it is damaged, has a password, or is of another kind.",
            hint=_ADVICE,
        ) from None


def _xlsx(data: bytes) -> Iterator[Iterator[list[str]]]:
    import defusedxml  # noqa: F401 openpyxl uses it if it is there, and must not go without
    from openpyxl import load_workbook

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        # What is unpacked never exceeds what the directory says: zipfile stops there.
        if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise InputError(
                f"The workbook unpacks to more than {MAX_UNPACKED_BYTES // 1024 // 1024} MiB.", hint=_ADVICE
            )
    book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # the file may say fewer rows than it has, and the others would be left out
            yield ([_text(cell) for cell in _narrow(row)] for row in sheet.iter_rows(values_only=True))
    finally:
        book.close()


def _xls(data: bytes) -> Iterator[Iterator[list[str]]]:
    import xlrd

    with xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), on_demand=True, ragged_rows=True) as book:
        for number in range(book.nsheets):
            sheet = book.sheet_by_index(number)
            yield ([_xls_text(cell, book.datemode) for cell in sheet.row(row)] for row in range(sheet.nrows))
            book.unload_sheet(number)


def _xls_text(cell: Any, datemode: int) -> str:
    import xlrd

    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return _text(xlrd.xldate_as_datetime(cell.value, datemode))
        except (xlrd.XLDateError, OverflowError, ValueError):
            return "#"
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return _text(bool(cell.value))
    return "#" if cell.ctype == xlrd.XL_CELL_ERROR else _text(cell.value)


def _only(sheets: Iterable[Iterator[list[str]]], limit: int) -> list[str]:
    """The lines of the one sheet that has any."""
    found: list[str] = []
    for lines in (_lines(sheet, limit) for sheet in sheets):
        if lines and found:
            raise InputError(
                "The workbook has more than one sheet with something in it.",
                hint="Save the one that is meant as CSV, or in a workbook of its own.",
            )
        found = found or lines
    return found


def _lines(rows: Iterable[list[str]], limit: int) -> list[str]:
    """A line for each row down to the last with something in it; counted as they come, for cells may share a text."""
    lines: list[str] = []
    line, size, filled = io.StringIO(), 0, 0
    writer = csv.writer(line, lineterminator="\n")
    for number, row in enumerate(rows, start=1):
        if number > MAX_ROWS:
            raise InputError(f"The sheet has more than {MAX_ROWS:,} rows.", hint="Split it.")
        writer.writerow(row)
        lines.append(line.getvalue())
        size += line.tell()
        if size > limit:
            raise InputError(f"The sheet is larger than {limit // 1024 // 1024} MiB as text.", hint="Split it.")
        line.seek(0)
        line.truncate()
        if any(row):
            filled = number
    return lines[:filled]


def _narrow(row: Any) -> Any:
    if len(row) > MAX_COLUMNS:
        raise InputError(f"The sheet has more than {MAX_COLUMNS} columns.", hint=_ADVICE)
    return row


def _text(value: Any) -> str:
    """A cell as text of one line: whole seconds for times, every digit for numbers."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return (value + timedelta(milliseconds=500)).replace(microsecond=0).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | float):
        return " ".join(str(value).split())
    return "="  # a formula over several cells, which is an object of its own

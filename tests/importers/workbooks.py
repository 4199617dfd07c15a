"""Workbooks in memory, as Excel saves them."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime

import openpyxl

Rows = Sequence[Sequence[object]]


def xlsx(rows: Rows, **more: Rows) -> bytes:
    """A workbook of one sheet, and of those in `more` after it."""
    book = openpyxl.Workbook()
    book.active.title = "first"
    for name, content in {"first": rows, **more}.items():
        sheet = book["first"] if name == "first" else book.create_sheet(name)
        for row in content:
            sheet.append(list(row))
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def xls(rows: Rows, **more: Rows) -> bytes:
    """The same in the format of before 2007."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import xlwt
    book = xlwt.Workbook()
    dates = xlwt.easyxf(num_format_str="YYYY-MM-DD HH:MM")
    for name, content in {"first": rows, **more}.items():
        sheet = book.add_sheet(name)
        for row, cells in enumerate(content):
            for column, cell in enumerate(cells):
                if isinstance(cell, datetime):
                    sheet.write(row, column, cell, dates)
                elif cell is not None:
                    sheet.write(row, column, cell)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def with_parts(workbook: bytes, parts: Mapping[str, bytes | None]) -> bytes:
    """The same zip archive with some parts put in another's place, or left out where None."""
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), *parts]):
            content = parts[name] if name in parts else old.read(name)
            if content is not None:
                new.writestr(name, content)
    return data.getvalue()


def part(workbook: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return archive.read(name)

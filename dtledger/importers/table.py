"""Rows of a delimited text file (RFC 4180, with `,` `;` or a tab), each with the line on which it begins."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from ..errors import InputError
from .source import Source

DELIMITERS = ",;\t"


class Headings(NamedTuple):
    """A table's headings, the last line that they stand on, and what delimits its cells."""

    delimiter: str
    cells: list[str]
    line: int


def headings(opening: str, fits: Callable[[list[str]], bool], within: int = 1) -> Headings | None:
    """The headings that `fits` looks for, which stand in one of the first `within` lines that are not blank."""
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(opening, newline=""), delimiter=delimiter, strict=True)
        try:
            for cells in islice(filter(_filled, reader), within):
                if fits(cells):
                    return Headings(delimiter, cells, reader.line_num)
        except csv.Error:
            continue
    return None


class Table:
    """The rows below the headings. `line` is the last line that was read."""

    def __init__(self, source: Source, found: Headings, problem: Callable[[int, str], None]) -> None:
        self._reader = csv.reader(source.lines(), delimiter=found.delimiter, strict=True)
        self._headed = found.line
        self._width = len(found.cells)
        self._problem = problem

    @property
    def line(self) -> int:
        return self._reader.line_num

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row's line and cells, as many as there are headings; a row that is not well formed is a problem.

        Raises:
            InputError: a quotation mark is opened and never closed.
        """
        while True:
            line = self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "unexpected end" in str(error) or "field larger" in str(error):
                    raise InputError(f"A quotation mark opened on line {line} is never closed.") from None
                if line > self._headed:
                    self._problem(line, "a quotation mark stands where none can")
                continue
            if line <= self._headed or not _filled(cells):
                continue
            if self._reader.line_num > line:
                self._problem(line, f"a quoted cell runs on to line {self._reader.line_num}")
            elif any(cell.strip() for cell in cells[self._width :]):
                self._problem(line, "the row has more cells than there are headings (a comma as the decimal mark?)")
            else:
                yield line, cells + [""] * (self._width - len(cells))


def _filled(cells: list[str]) -> bool:
    return any(cell.strip() for cell in cells)

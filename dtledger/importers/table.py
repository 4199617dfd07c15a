"""Rows of a delimited text file (RFC 4180, with `,` `;` or a tab), each with the line on which it begins."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

from ..errors import InputError
from .source import Source

DELIMITERS = ",;\t"


def headings(opening: str, fits: Callable[[list[str]], bool]) -> tuple[str, list[str]] | None:
    """The delimiter under which the first line that is not blank has the headings that `fits` looks for, and these."""
    for delimiter in DELIMITERS:
        try:
            cells = next(
                filter(_filled, csv.reader(io.StringIO(opening, newline=""), delimiter=delimiter, strict=True)), []
            )
        except csv.Error:
            continue
        if fits(cells):
            return delimiter, cells
    return None


class Table:
    """The rows below the headings. `line` is the last line that was read."""

    def __init__(self, source: Source, delimiter: str, width: int, problem: Callable[[int, str], None]) -> None:
        self._reader = csv.reader(source.lines(), delimiter=delimiter, strict=True)
        self._width = width
        self._problem = problem

    @property
    def line(self) -> int:
        return self._reader.line_num

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row's line and cells, as many as there are headings; a row that is not well formed is a problem.

        Raises:
            InputError: a quotation mark is opened and never closed.
        """
        headed = False
        while True:
            line = self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "unexpected end" in str(error) or "field larger" in str(error):
                    raise InputError(f"A quotation mark opened on line {line} is never closed.") from None
                self._problem(line, "a quotation mark stands where none can")
                continue
            if not _filled(cells):
                continue
            if not headed:
                headed = True
            elif self._reader.line_num > line:
                self._problem(line, f"a quoted cell runs on to line {self._reader.line_num}")
            elif any(cell.strip() for cell in cells[self._width :]):
                self._problem(line, "the row has more cells than there are headings (a comma as the decimal mark?)")
            else:
                yield line, cells + [""] * (self._width - len(cells))


def _filled(cells: list[str]) -> bool:
    return any(cell.strip() for cell in cells)

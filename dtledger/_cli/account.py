"""What an import did with the rows of a file, as people read it.

>>> _places("line", [4, 6, 7, 8])
'lines 4 and 6 to 8'
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .words import listed

if TYPE_CHECKING:
    from ..importers.result import Import

_RUNS_SHOWN = 10
"""Runs of lines that are named for one reason; --json has every line."""


def rows(imported: Import) -> str:
    """One sentence in which each row is counted once."""
    return (
        f"{imported.rows:,} rows ({imported.source_format}): {len(imported.readings):,} readings, "
        f"{imported.repeats:,} repeats, {len(imported.gaps):,} gaps, {len(imported.problems):,} that cannot be read"
        + (f", {imported.conflicts:,} with another value at the same time" if imported.conflicts else "")
        + "".join(f", {count:,} {kind}" for kind, count in imported.others)
        + "."
    )


def problems(imported: Import) -> Iterator[str]:
    """Why rows could not be read: one line a reason, with the lines of the file that it holds of."""
    where: dict[str, list[int]] = {}
    for each in imported.problems:
        where.setdefault(each.reason, []).append(each.line)
    for reason, lines in where.items():
        yield f"{_places(imported.row_word, lines)}: {reason}"


def _places(word: str, numbers: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    words = [" to ".join(map(str, run)) for run in runs[:_RUNS_SHOWN]]
    if len(runs) > _RUNS_SHOWN:
        words.append("more (--json lists all)")
    return f"{word}{'' if len(numbers) == 1 else 's'} {listed(words)}"

"""Which of a known format's columns is imported: the usual one of the category, or the one that `--value-column` names.

A format lists its columns. What is left alone is named and counted in a note, so that nobody has to open the file to
learn what else is in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import InputError
from .options import Options
from .values import plain_heading, unit_code


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a format may have.

    `pattern` fits its whole heading, in small letters and without hyphens and underscores; a group `unit` in it says
    the unit, else `unit` does. `category` is what it is imported as, None for what is not. `mark` goes on the quality
    of each value. Of several of one category, the `usual` one is meant where none is named. `kind` is the format's own
    word for rows that have it.
    """

    pattern: str
    category: str | None = None
    unit: str | None = None
    mark: str = ""
    usual: bool = False
    kind: str = ""


@dataclass(slots=True)
class Choice:
    """The column that is imported, and an account of those that are left alone."""

    column: Column
    place: int
    unit: str | None
    left: dict[int, str]
    _counts: Counter[int] = field(default_factory=Counter)

    def count(self, row: Sequence[str]) -> None:
        """Remember which of the other columns has something in this row."""
        for place in self.left:
            if row[place].strip():
                self._counts[place] += 1

    def note(self) -> str:
        """A sentence on the columns that were left alone; empty if none has anything."""
        named = [f"{self._counts[place]:,} '{heading}'" for place, heading in self.left.items() if self._counts[place]]
        return f"Left alone: {', '.join(named)}." if named else ""


def choose(columns: Sequence[Column], headings: Sequence[str], options: Options) -> Choice:
    """The column that the options mean.

    Raises:
        InputError: the file has none of the category, or several and no usual one, or none of that heading.
    """
    found: dict[int, tuple[Column, str | None]] = {}
    for place, heading in enumerate(headings):
        if (known := _known(columns, heading)) is not None:
            found[place] = known
    if options.value_column is not None:
        places = [place for place in found if plain_heading(headings[place]) == plain_heading(options.value_column)]
    else:
        places = [place for place, (column, _) in found.items() if column.category == options.category]
        places = [place for place in places if found[place][0].usual] or places
    offered = _offered(found, headings)
    if not places and options.value_column is not None:
        raise InputError("The file has no column of that heading.", hint=offered)
    if not places:
        raise InputError(f"The file has no {options.category} that can be imported.", hint=offered)
    if len(places) > 1:
        named = ", ".join(f"'{headings[place].strip()}'" for place in places)
        raise InputError(
            f"The file has several columns of {options.category}: {named}.", hint="Say which: --value-column HEADING."
        )
    column, unit = found[places[0]]
    if column.category is None:
        raise InputError("That column is not one of numbers of a category.", hint=offered)
    if column.category != options.category:
        raise InputError(f"That column is {column.category}.", hint=f"Say so: --category {column.category}.")
    left = {place: headings[place].strip() for place in found if place != places[0]}
    return Choice(column, places[0], unit, left)


def _known(columns: Sequence[Column], heading: str) -> tuple[Column, str | None] | None:
    """The column of that heading, and its unit."""
    for column in columns:
        if (match := re.fullmatch(column.pattern, plain_heading(heading))) is None:
            continue
        spelling = match.groupdict().get("unit")
        if spelling is None or column.category is None:
            return column, column.unit
        if (code := unit_code(spelling, column.category)) is not None:
            return column, code
    return None


def _offered(found: dict[int, tuple[Column, str | None]], headings: Sequence[str]) -> str:
    """What can be imported, in a sentence."""
    named: dict[str, list[str]] = {}
    for place, (column, _) in found.items():
        if column.category is not None:
            named.setdefault(column.category, []).append(f"'{headings[place].strip()}'")
    said = "; ".join(f"--category {category} ({', '.join(own)})" for category, own in named.items())
    return f"What it has: {said}." if said else "It has nothing that is imported."

"""Rows as they were measured, and the JSON file that keeps them: when, on what machine, beside how much else.

`merge` writes one row into a file beside those that are there, so a run that is cut off keeps what it has, and rows of
one file may be of several runs. A row that could not be measured never takes the place of one that was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dtledger._backend.files import write_atomically
from dtledger.errors import InputError

from .figures import Goal, Missing, Rival, Row

SCHEMA = "dtledger/bench/2"
QUIET = 0.3
"""Cores: a row beside which other programs took more is *loaded*."""
COUNTED = ("gas", "B", "permits")
"""Units of what is counted and not timed: no other work tells on it."""
_THIS_RUN = "this run"


@dataclass(frozen=True, slots=True)
class Taken:
    """A row, the UTC day and second at which it was begun, the machine, and how many of its cores other programs kept
    busy just before or after it (None: nobody knows). Rows of tiny sizes are not `judged`."""

    row: Row | Missing
    at: str
    machine: Mapping[str, str | float]
    load: float | None
    judged: bool = True

    @property
    def loaded(self) -> bool:
        """Whether other work may have told on the figure."""
        counted = isinstance(self.row, Row) and self.row.unit in COUNTED
        return not counted and (self.load is None or self.load > QUIET)


Record = dict[str, Taken]
"""By name."""


def read(path: Path) -> Record:
    """What a file holds; nothing, if there is none.

    Raises:
        InputError: it is no record of this bench.
    """
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_bytes())
        if found["schema"] != SCHEMA:
            raise ValueError("another schema")
        return {row["name"]: _taken(row) for row in found["rows"]}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path.name} is no record of this bench ({error}).", hint="Name another file.") from error


def merge(path: Path, name: str, taken: Taken, order: Iterable[str]) -> bool:
    """Write the row into the file, in the bench's `order`; False if a row that was measured stays in its place.

    Raises:
        InputError: the file is no record of this bench.
        DtledgerError: it cannot be written.
    """
    record = read(path)
    if isinstance(taken.row, Missing) and name in record:
        return False
    record[name] = taken
    places = {each: place for place, each in enumerate(order)}
    named = sorted(record, key=lambda each: places.get(each, len(places)))
    write_atomically(path, as_json({each: record[each] for each in named}).encode() + b"\n", mode=0o644)
    return True


def as_json(record: Mapping[str, Taken]) -> str:
    return json.dumps({"schema": SCHEMA, "rows": [_fields(*each) for each in record.items()]}, indent=2)


def _fields(name: str, taken: Taken) -> dict[str, object]:
    told: dict[str, object] = {"name": name, "at": taken.at, "machine": dict(taken.machine), "load": taken.load}
    told["judged"] = taken.judged
    row = taken.row
    if isinstance(row, Missing):
        return {**told, "not_measured": row.reason, "failed": row.failed}
    goals = [
        {
            "text": each.text,
            "limit": each.limit,
            "at_least": each.at_least,
            "of": each.of,
            "reached": each.reached_by(row) if taken.judged else None,
        }
        for each in row.goals
    ]
    rivals = [
        {"name": each.name, "figure": each.figure, "ratio": row.ratio(each), "source": each.source or _THIS_RUN}
        for each in row.rivals
    ]
    told |= {"what": row.what, "figure": row.figure, "unit": row.unit, "goals": goals, "rivals": rivals}
    return {**told, "beside": row.beside}


def _taken(fields: Mapping[str, Any]) -> Taken:
    row: Row | Missing
    if "not_measured" in fields:
        row = Missing(fields["not_measured"], failed=fields["failed"])
    else:
        goals = tuple(Goal(each["text"], each["limit"], each["at_least"], each["of"]) for each in fields["goals"])
        rivals = tuple(
            Rival(each["name"], each["figure"], "" if each["source"] == _THIS_RUN else each["source"])
            for each in fields["rivals"]
        )
        row = Row(fields["what"], fields["figure"], fields["unit"], goals, rivals, fields["beside"])
    return Taken(row, fields["at"], fields["machine"], fields["load"], judged=fields["judged"])

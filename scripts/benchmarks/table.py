"""How rows are shown: a table for people, and Markdown for docs/bench.md."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from .figures import Missing, Rival, Row, quantity, times
from .record import Taken

_WIDTH = 150
_HEAD = ("row", "what", "figure", "goal", "rival", "measured")
_ELSEWHERE = "† not of this run"


def headline(about: Mapping[str, str | float]) -> str:
    return f"{about['cpu']}, {about['cores']} cores, {about['system']}, Python {about['python']}"


def show(record: Mapping[str, Taken]) -> None:
    """A table on stdout; each goal is marked as reached or missed, if the row is judged."""
    wide = shutil.get_terminal_size((_WIDTH, 24)).columns
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=_ELSEWHERE, caption_justify="left")
    for name in _HEAD:
        table.add_column(name, justify="right" if name == "figure" else "left", no_wrap=name in ("row", "figure"))
    for name, taken in record.items():
        table.add_row(name, *_cells(taken), style=None if isinstance(taken.row, Row) else "dim")
    Console(width=max(wide, _WIDTH), highlight=False, markup=False).print(table)


def markdown(record: Mapping[str, Taken]) -> str:
    """The same as a Markdown table."""
    rows = [(f"`{name}`", *_cells(taken)) for name, taken in record.items()]
    return "\n".join([table_of(_HEAD, rows), "", _ELSEWHERE])


def table_of(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table, in which figures stand to the right."""
    ruler = tuple("---:" if name == "figure" else "---" for name in head)
    return "\n".join(
        "| " + " | ".join(cell.replace("\n", "<br>") for cell in line) + " |" for line in (head, ruler, *rows)
    )


def figure(row: Row | Missing) -> str:
    """What was measured, or that it was not."""
    if isinstance(row, Missing):
        return f"{'failed' if row.failed else 'not measured'}: {row.reason}"
    return quantity(row.figure, row.unit)


def when(taken: Taken) -> str:
    """The day, and whether the machine had other work."""
    load = "load unknown" if taken.load is None else f"loaded ({taken.load:.1f} cores)"
    return ", ".join(filter(None, (taken.at[:10], load if taken.loaded else "")))


def _cells(taken: Taken) -> tuple[str, ...]:
    row = taken.row
    if isinstance(row, Missing):
        return (figure(row), "", "", "", when(taken))
    verdicts = [f" {verdict(goal.reached_by(row))}" if taken.judged else "" for goal in row.goals]
    goals = "\n".join(goal.text + said for goal, said in zip(row.goals, verdicts, strict=True))
    rivals = "\n".join(_rival(row, each) for each in row.rivals)
    what = f"{row.what}\n({row.beside})" if row.beside else row.what
    return (what, figure(row), goals, rivals, when(taken))


def verdict(reached: bool) -> str:
    return "reached" if reached else "MISSED"


def _rival(row: Row, rival: Rival) -> str:
    return f"{rival.name}{'†' if rival.source else ''} {quantity(rival.figure, row.unit)} ({times(row.ratio(rival))})"

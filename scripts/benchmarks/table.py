"""How a run is shown: a table for people, Markdown for docs/bench.md, one JSON object for programs."""

from __future__ import annotations

import json
import os
import platform
import shutil
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from .figures import Measured, Missing, Rival, Row, quantity, times

_WIDTH = 150
_HEAD = ("row", "what", "figure", "goal", "rival")
_ELSEWHERE = "† not of this run"


def machine() -> dict[str, str | float]:
    """What the figures depend on. No name of a host is in it."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def headline(about: dict[str, str | float]) -> str:
    return (
        f"{about['cpu']}, {about['cores']} cores, {about['system']}, Python {about['python']}, "
        f"load {about['load']} at the start"
    )


def show(measured: Measured, *, judged: bool) -> None:
    """A table on stdout; `judged` marks each goal as reached or missed."""
    wide = shutil.get_terminal_size((_WIDTH, 24)).columns
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=_ELSEWHERE, caption_justify="left")
    for name in _HEAD:
        table.add_column(name, justify="right" if name == "figure" else "left", no_wrap=name in ("row", "figure"))
    for name, row in measured.items():
        table.add_row(name, *_cells(row, judged), style=None if isinstance(row, Row) else "dim")
    Console(width=max(wide, _WIDTH), highlight=False, markup=False).print(table)


def markdown(measured: Measured, *, judged: bool) -> str:
    """The same as a Markdown table."""
    lines = [_HEAD, ("---", "---", "---:", "---", "---")]
    lines += [(f"`{name}`", *_cells(row, judged)) for name, row in measured.items()]
    table = ("| " + " | ".join(cell.replace("\n", "<br>") for cell in line) + " |" for line in lines)
    return "\n".join([*table, "", _ELSEWHERE])


def as_json(measured: Measured, about: dict[str, str | float], *, judged: bool) -> str:
    rows = [{"name": name, **_fields(row, judged)} for name, row in measured.items()]
    return json.dumps({"schema": "dtledger/bench/1", "machine": about, "judged": judged, "rows": rows}, indent=2)


def figure(row: Row | Missing) -> str:
    """What was measured, or that it was not."""
    if isinstance(row, Missing):
        return f"{'failed' if row.failed else 'not measured'}: {row.reason}"
    return quantity(row.figure, row.unit)


def _cells(row: Row | Missing, judged: bool) -> tuple[str, str, str, str]:
    if isinstance(row, Missing):
        return (figure(row), "", "", "")
    goals = "\n".join(goal.text + (f" {_verdict(goal.reached_by(row))}" if judged else "") for goal in row.goals)
    rivals = "\n".join(_rival(row, each) for each in row.rivals)
    what = f"{row.what}\n({row.beside})" if row.beside else row.what
    return (what, figure(row), goals, rivals)


def _verdict(reached: bool) -> str:
    return "reached" if reached else "MISSED"


def _rival(row: Row, rival: Rival) -> str:
    return f"{rival.name}{'†' if rival.source else ''} {quantity(rival.figure, row.unit)} ({times(row.ratio(rival))})"


def _fields(row: Row | Missing, judged: bool) -> dict[str, object]:
    if isinstance(row, Missing):
        return {"not_measured": row.reason, "failed": row.failed}
    return {
        "what": row.what,
        "figure": row.figure,
        "unit": row.unit,
        "goals": [{"text": goal.text, "reached": goal.reached_by(row) if judged else None} for goal in row.goals],
        "rivals": [
            {"name": each.name, "figure": each.figure, "ratio": row.ratio(each), "source": each.source or "this run"}
            for each in row.rivals
        ],
        "beside": row.beside,
    }


def _cpu() -> str:
    """The processor's kind, as the system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()

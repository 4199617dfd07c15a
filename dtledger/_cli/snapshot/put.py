"""`snapshot put`: a device's export becomes encrypted, anchored snapshots."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from .. import account, times
from ..app import App, rfc3339
from ..command import verb
from ..words import CATEGORY, period_words

if TYPE_CHECKING:
    from ...importers import Import

FORMATS = ("auto", "clarity", "libreview", "shanghai", "t1d-uom", "bitalino", "wfdb", "csv")
"""The importers' names, here so that help and completion need not load them."""
GAPS_SHOWN = 10
"""Gaps that are listed one by one; --json has all."""


@verb(
    "put",
    epilog="Examples: dtledger snapshot put clarity.csv --twin 7 --tz Europe/Vienna · "
    "dtledger snapshot put - --twin 7 --category heart-rate < pulse.csv",
)
@click.argument("file", metavar="FILE|-")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Which twin, if you have several.")
@click.option("--category", type=CATEGORY, help="What the values are. [glucose, or the settings']")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="auto", show_default=True)
@click.option("--tz", metavar="ZONE", help="The zone of the clock that wrote the times: Europe/Vienna.")
@click.option("--utc-offset", metavar="OFFSET", help="Instead: that clock's fixed offset: +01:00.")
@click.option("--unit", metavar="UNIT", help="The values' unit, where the file does not say it.")
@click.option("--date-order", type=click.Choice(["dmy", "mdy", "ymd"]), help="Where the file does not prove it.")
@click.option(
    "--sensor-range", type=(float, float), metavar="LEAST GREATEST", help="The limits of what the sensor shows."
)
@click.option("--time-column", metavar="HEADING", help="The heading over the times, if it is none that is known.")
@click.option("--value-column", metavar="HEADING", help="The heading over the values, or which of several.")
@click.option("--start", metavar="TIME", help="When a recording began, if it does not say: 2026-11-02T08:00+01:00.")
@click.option("--skip-unreadable", is_flag=True, help="Write the other rows if some cannot be read.")
@click.option("--dry-run", is_flag=True, help="Read the file and say what would be written; write nothing.")
def put(
    app: App,
    file: str,
    twin: int | None,
    category: str | None,
    format_: str,
    skip_unreadable: bool,
    dry_run: bool,
    **reading: Any,
) -> None:
    """Write a file's readings to a twin: encrypted, one snapshot an hour, anchored in batches.

    It needs the owner's key, or one with a grant to WRITE that covers all of the file. Readings that were written
    before are counted and left out, so a file may be put again, and a put that was cut short goes on. Nothing is
    dropped in silence: rows that cannot be read stop it, unless --skip-unreadable says to write the rest.
    """
    from ...client.core import system_clock
    from ...client.writing import require_past
    from ...importers import read_file

    name = category or app.settings.category or "glucose"
    number = None if dry_run and twin is None else app.twin(twin)
    source = sys.stdin.buffer if file == "-" else Path(file).expanduser()
    imported = read_file(source, format_, category=name, **reading)
    _say_import(app, imported)
    told = {"twin": number, "category": name, **_plain(imported)}
    if imported.problems and not skip_unreadable:
        app.data("put", **told, **_nothing(), planned=0, dry_run=dry_run)
        raise InputError(
            f"{len(imported.problems)} of {imported.rows} rows cannot be read, so nothing was written.",
            hint="Mend them, or write the others: --skip-unreadable.",
        )
    if not imported.readings:
        raise InputError("The file holds no reading.", hint="Is it the right file, and of that --category?")
    if dry_run or number is None:
        require_past(_hours(imported), system_clock())
        _show_plan(app, imported)
        app.data("put", **told, **_nothing(), planned=len(_hours(imported)), dry_run=True)
        return
    with app.progress("encrypting, storing, anchoring") as progress:
        result = app.client.writer.put(number, name, imported.readings, progress=progress)
    sent = [app.sent(each) for each in result.anchors]
    if result.resumed:
        app.say(f"{result.resumed} snapshots that an earlier put had left unanchored are anchored now.")
    if result.doubled:
        app.say(
            f"{result.doubled} snapshots do not count: another machine with this key anchored its own under their "
            "numbers first. What this file has of them was written again."
        )
    app.show(
        f"Written: {result.readings:,} readings in {len(result.written):,} snapshots, {len(result.anchors)} batches"
        + (f"; {result.known:,} were there before" if result.known else "")
    )
    app.data(
        "put",
        **told,
        written=len(result.written),
        readings_written=result.readings,
        readings_known=result.known,
        resumed=result.resumed,
        doubled=result.doubled,
        bytes=sum(each.size for each in result.written),
        sent=sent,
        planned=None,
        dry_run=False,
    )


def _nothing() -> dict[str, Any]:
    return {
        "written": 0,
        "readings_written": 0,
        "readings_known": None,
        "resumed": 0,
        "doubled": 0,
        "bytes": 0,
        "sent": [],
    }


def _hours(imported: Import) -> list[Any]:
    from ...readings import hourly

    return hourly(imported.readings)


def _say_import(app: App, imported: Import) -> None:
    app.say(account.rows(imported))
    for note in imported.notes:
        app.say(note)
    for line in account.problems(imported):
        app.say(f"  {line}")
    for gap in imported.gaps[:GAPS_SHOWN]:
        app.say(f"  gap of {times.span(gap.end - gap.start)} after {app.time(gap.start)}")
    if len(imported.gaps) > GAPS_SHOWN:
        app.say(f"  and {len(imported.gaps) - GAPS_SHOWN} more gaps (--json lists all)")


def _show_plan(app: App, imported: Import) -> None:
    from ...types import Period

    groups = _hours(imported)
    data = Period(groups[0].period.start, groups[-1].period.end)
    app.show(
        f"Would write {len(imported.readings):,} readings in {len(groups):,} snapshots, of {period_words(app, data)}."
    )
    app.say("Those that were written before would be left out. Nothing was written.")


def _plain(imported: Import) -> dict[str, Any]:
    return {
        "format": imported.source_format,
        "rows": imported.rows,
        "readings": len(imported.readings),
        "repeats": imported.repeats,
        "conflicts": imported.conflicts,
        "others": dict(imported.others),
        "problems": [{"line": each.line, "reason": each.reason} for each in imported.problems],
        "gaps": [{"from": rfc3339(each.start), "until": rfc3339(each.end)} for each in imported.gaps],
        "notes": list(imported.notes),
    }

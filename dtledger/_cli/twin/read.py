"""`twin read`: decrypted, verified readings as a table, CSV or JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ..app import App
from ..command import verb
from .door import asking, plain, remarks, request

if TYPE_CHECKING:
    from ...client import Readings, TwinReading


@verb(
    "read",
    epilog="Examples: dtledger twin read 7 --category glucose --purpose TREAT --since 24h · dtledger twin read 7 "
    "--category glucose --purpose PATRQT --unit mg/dL --csv > glucose.csv",
)
@asking
@click.option("--originals", is_flag=True, help="Show too what was corrected or withdrawn, by whom and why.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, times in RFC 3339.")
def read(app: App, as_csv: bool, **options: Any) -> None:
    """Read a twin's values as consent permits, each checked against what was anchored.

    The grant that gets furthest is chosen; custodians decide again, and each leaves the owner a receipt first. Every
    request needs a purpose. Values come in the unit that they were measured in, unless --unit says otherwise. Where a
    value was corrected the corrected one is shown, marked; --originals shows both.
    """
    if as_csv and app.as_json:
        raise click.UsageError("Choose one of --csv and --json.")
    readings, options = request(app, **options)
    if as_csv:
        app.show(_csv(readings).rstrip("\r\n"))
    else:
        for line in _lines(app, readings):
            app.show(line)
    remarks(app, readings)
    app.data("readings", **plain(app, readings, **options))


def _lines(app: App, readings: Readings) -> list[str]:
    from ...vocabulary import known_unit

    lines = []
    for each in readings:
        unit = known_unit(each.unit)
        value = f"{each.value:.{unit.decimals}f}" if unit else f"{each.value:g}"
        words = [each.quality, "late" if each.late else "", *_correction(app, readings, each)]
        lines.append(f"{app.time(each.at)}  {value:>7} {each.unit}  {' '.join(filter(None, words))}".rstrip())
    return lines


def _correction(app: App, readings: Readings, each: TwinReading) -> Iterator[str]:
    """Whether it is corrected, and of what stands no more by whom it was and why."""
    if each.corrected:
        yield "corrected"
    if each.superseded_by:
        by = readings.amendments[each.superseded_by]
        yield f"superseded by {each.superseded_by[:16]} of {app.people.name(by.writer)}: {by.reason}"


def _csv(readings: Readings) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["time", "value", "unit", "quality", "late", "snapshot", "corrected", "superseded_by"])
    for each in readings:
        value = [each.at.isoformat(), each.value, each.unit, each.quality, int(each.late), each.snapshot]
        writer.writerow([*value, int(each.corrected), each.superseded_by])
    return text.getvalue()

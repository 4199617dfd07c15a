"""`twin read`: decrypted, verified readings as a table, CSV or JSON."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import click

from ..app import App
from ..command import verb
from .door import asking, plain, remarks, request

if TYPE_CHECKING:
    from ...client import Readings


@verb(
    "read",
    epilog="Examples: dtledger twin read 7 --category glucose --purpose TREAT --since 24h · dtledger twin read 7 "
    "--category glucose --purpose PATRQT --unit mg/dL --csv > glucose.csv",
)
@asking
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, times in RFC 3339.")
def read(app: App, as_csv: bool, **options: Any) -> None:
    """Read a twin's values as consent permits, each checked against what was anchored.

    The grant that gets furthest is chosen; custodians decide again, and each leaves the owner a receipt first. Every
    request needs a purpose. Values come in the unit that they were measured in, unless --unit says otherwise.
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
    app.data("readings", **plain(readings, **options))


def _lines(app: App, readings: Readings) -> list[str]:
    from ...vocabulary import known_unit

    lines = []
    for each in readings:
        unit = known_unit(each.unit)
        value = f"{each.value:.{unit.decimals}f}" if unit else f"{each.value:g}"
        late = " late" if each.late else ""
        lines.append(f"{app.time(each.at)}  {value:>7} {each.unit}  {each.quality}{late}".rstrip())
    return lines


def _csv(readings: Readings) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["time", "value", "unit", "quality", "late", "snapshot"])
    for each in readings:
        writer.writerow([each.at.isoformat(), each.value, each.unit, each.quality, int(each.late), each.snapshot])
    return text.getvalue()

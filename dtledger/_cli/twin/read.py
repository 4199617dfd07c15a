"""`twin read`: decrypted, verified readings as a table, CSV or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..app import App
from ..command import verb
from .door import asking, plain, remarks, request
from .following import follow_on
from .values import csv_lines, table_lines


@verb(
    "read",
    epilog="Examples: dtledger twin read 7 --category glucose --purpose TREAT --since 24h · dtledger twin read 7 "
    "--category glucose --purpose PATRQT --unit mg/dL --csv > glucose.csv · dtledger twin read 7 --category glucose "
    "--purpose TREAT --follow --cursor glucose.cursor --json",
)
@asking
@click.option("--originals", is_flag=True, help="Show too what was corrected or withdrawn, by whom and why.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, times in RFC 3339.")
@click.option("--follow", is_flag=True, help="Go on with each new snapshot until consent ends (or Ctrl-C).")
@click.option(
    "--cursor",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --follow: go on where FILE says, and keep it there.",
)
@click.option("--every", type=click.IntRange(1), metavar="SECONDS", help="With --follow: between two looks; 2 if not.")
def read(app: App, as_csv: bool, follow: bool, cursor: Path | None, every: int | None, **options: Any) -> None:
    """Read a twin's values as consent permits, each checked against what was anchored.

    The grant that gets furthest is chosen; custodians decide again, and each leaves the owner a receipt first. Every
    request needs a purpose. Values come in the unit that they were measured in, unless --unit says otherwise. Where a
    value was corrected the corrected one is shown, marked; --originals shows both. --follow goes on with what comes
    new, asks for consent each time, and ends with the refusal (exit code 3).
    """
    if as_csv and app.as_json:
        raise click.UsageError("Choose one of --csv and --json.")
    if follow:
        follow_on(app, cursor, every, as_csv=as_csv, **options)
        return
    if cursor is not None or every is not None:
        raise click.UsageError("--cursor and --every go with --follow.")
    readings, options = request(app, **options)
    for line in csv_lines(readings) if as_csv else table_lines(app, readings):
        app.show(line)
    remarks(app, readings)
    app.data("readings", **plain(app, readings, **options))

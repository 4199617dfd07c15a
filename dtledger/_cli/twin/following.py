"""`twin read --follow`: each new snapshot, until consent ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..._backend.files import write_atomically
from ...errors import InputError
from .. import times
from ..app import App
from ..words import category_option
from .door import plain, remarks, usual_unit
from .values import csv_lines, table_lines

_NOT_HERE = ("until", "partial", "originals")


def follow_on(app: App, cursor: Path | None, every: int | None, *, as_csv: bool, **options: Any) -> None:
    """Show what is there since --since, then each refresh as it comes; the cursor is kept once it was shown.

    Raises:
        AccessDeniedError: consent ended.
    """
    for each in _NOT_HERE:
        if options[each]:
            raise click.UsageError(f"--{each} does not go with --follow.")
    if options["action"].upper() != "READ":
        raise click.UsageError("--follow reads: TRAIN fetches once.")
    client = app.client
    name, number = category_option(app, options["category"]), app.twin(options["twin"])
    since = options["since"]
    refreshes = client.follow(
        number,
        name,
        options["purpose"],
        cursor=_kept(cursor),
        since=times.beginning(since, client.context.clock(), app.zone) if since else None,
        unit=options["unit"] or usual_unit(app, name),
        every=every or 2,
    )
    asked = {"twin": number, "category": name, "purpose": options["purpose"].upper()}
    first = True
    try:
        for refresh in refreshes:
            readings = refresh.readings
            for line in csv_lines(readings, header=first) if as_csv else table_lines(app, readings):
                app.show(line)
            remarks(app, readings)
            app.data("refresh", **plain(app, readings, **asked), cursor=refresh.cursor)
            if cursor is not None:
                write_atomically(cursor, f"{refresh.cursor}\n".encode())
            first = False
    except KeyboardInterrupt:
        app.say("Stopped.")


def _kept(file: Path | None) -> str | None:
    """The cursor that the file holds; none if there is no file yet."""
    try:
        return file.read_text("ascii").strip() if file and file.exists() else None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The cursor file {file} cannot be read.", hint="Name another, or remove it.") from error

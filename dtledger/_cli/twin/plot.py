"""`twin plot`: readings drawn in the terminal or into a file, through the same door as `twin read`."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from ..app import App
from ..command import verb
from .ahead import looking_ahead
from .door import asking, plain, remarks, request

if TYPE_CHECKING:
    from ...client import Readings
    from ..picture.file import Kind
    from ..picture.scene import Scene

GLUCOSE_BAND = (3.9, 10.0)
"""Target range in mmol/L: Battelino et al., Diabetes Care 42 (2019), 1593."""
KINDS: dict[str, Kind] = {".png": "png", ".svg": "svg"}
WIDEST = 120
"""Columns of the words below a picture."""


@verb(
    "plot",
    epilog="Examples: dtledger twin plot 7 --category glucose --purpose PATRQT --since 24h --unit mg/dL · "
    "dtledger twin plot 7 --category glucose --purpose TREAT --since 24h --output glucose.svg",
)
@asking
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Into this file, as its name ends: .png or .svg.",
)
@click.option(
    "--forecast",
    "ahead",
    is_flag=True,
    help="Of glucose: also what the twin held for true, and expects; needs consent to forecast.",
)
@click.option("--replace", "over", is_flag=True, help="With --output: instead of a file that is there.")
def plot(app: App, output: Path | None, ahead: bool, over: bool, **options: Any) -> None:
    """Draw a twin's values over time, as wide as the terminal or into a file. Glucose is drawn with its target range.

    It asks exactly as `twin read` does, so it needs the same consent and leaves the same receipts. What a gateway set
    aside, or what nobody vouches for, is marked. Each picture ends with what it shows in words. --json gives what `twin
    read --json` gives, and those words.
    """
    from ..picture.scene import told

    if over and output is None:
        raise click.UsageError("--replace goes with --output.")
    if output is not None:
        _require_room(output, over=over)
    readings, options = request(app, **options)
    scenes = _scenes(app, readings, options["twin"], options["category"])
    if ahead:
        if options["category"] != "glucose":
            raise click.UsageError("--forecast is of glucose.")
        scenes = [looking_ahead(app, each, options["twin"], options["purpose"]) for each in scenes]
    if output is not None and scenes:
        _write(output, scenes)
    elif not app.as_json:
        _show(app, scenes)
    words = [told(scene) for scene in scenes]
    for text in words:
        app.show(textwrap.fill(text, min(shutil.get_terminal_size((100, 24)).columns, WIDEST)))
    if output is not None:
        app.say(f"Drawn into {output}." if scenes else "There is nothing to draw, so no file was written.")
    remarks(app, readings)
    into = {} if output is None else {"output": str(output) if scenes else None}
    app.data("readings", **plain(app, readings, **options), told=words, **into)


def _require_room(output: Path, *, over: bool) -> None:
    """Pass if the picture can go there, before anything is asked for.

    Raises:
        InputError: there is a file already, no such folder, or the name does not say which kind of picture it is.
    """
    if output.suffix.lower() not in KINDS:
        raise InputError(f"A picture is a file that ends in {' or '.join(KINDS)}.")
    if (output.exists() or output.is_symlink()) and not over:
        raise InputError(f"There is a file {output}.", hint="Name another with --output, or say --replace.")
    if not output.parent.is_dir():
        raise InputError(f"There is no folder {output.parent}.", hint="Make it, or name another with --output.")


def _scenes(app: App, readings: Readings, twin: int, category: str) -> list[Scene]:
    """A scene for each unit: values of different units are never drawn on one axis."""
    from ..picture.scene import Scene

    return [
        Scene(
            title=f"{category} of twin {twin}, {unit}",
            category=category,
            unit=unit,
            readings=[replace(each, at=each.at.astimezone(app.zone)) for each in readings if each.unit == unit],
            zone=app.zone,
            band=_band(category, unit),
            age=readings.age,
            stale=readings.stale,
        )
        for unit in sorted({each.unit for each in readings})
    ]


def _show(app: App, scenes: Sequence[Scene]) -> None:
    from ..picture.terminal import drawn

    for scene in scenes:
        app.show(drawn(scene))


def _write(output: Path, scenes: Sequence[Scene]) -> None:
    """For its owner alone to read: it shows health data."""
    from ..._backend.files import write_atomically
    from ..picture.file import drawn

    write_atomically(output, drawn(scenes, KINDS[output.suffix.lower()]))


def _band(category: str, unit: str) -> tuple[float, float] | None:
    from ...vocabulary import known_unit
    from ...vocabulary import unit as unit_named

    usual, drawn = unit_named("mmol/L"), known_unit(unit)
    if category != "glucose" or drawn is None or drawn.base != usual.base:
        return None
    low, high = (usual.convert(each, drawn) for each in GLUCOSE_BAND)
    return low, high

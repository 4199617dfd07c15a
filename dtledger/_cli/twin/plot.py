"""`twin plot`: readings drawn in the terminal, through the same door as `twin read`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..app import App
from ..command import verb
from .door import asking, plain, remarks, request

GLUCOSE_BAND = (3.9, 10.0)
"""Target range in mmol/L: Battelino et al., Diabetes Care 42 (2019), 1593."""


@verb("plot", epilog="Example: dtledger twin plot 7 --category glucose --purpose PATRQT --since 24h --unit mg/dL")
@asking
def plot(app: App, **options: Any) -> None:
    """Draw a twin's values over time, as wide as the terminal. Glucose is drawn with its target range.

    It asks exactly as `twin read` does, so it needs the same consent and leaves the same receipts. --json gives what
    `twin read --json` gives.
    """
    readings, options = request(app, **options)
    units = sorted({each.unit for each in readings})
    if not app.as_json:
        from .. import picture

        for unit in units:  # values of different units are never drawn on one axis
            some = [replace(each, at=each.at.astimezone(app.zone)) for each in readings if each.unit == unit]
            title = f"{options['category']} of twin {options['twin']}, {unit}"
            app.show(picture.plot(some, title, band=_band(options["category"], unit)))
    remarks(app, readings)
    app.data("readings", **plain(app, readings, **options))


def _band(category: str, unit: str) -> tuple[float, float] | None:
    from ...vocabulary import known_unit
    from ...vocabulary import unit as unit_named

    usual, drawn = unit_named("mmol/L"), known_unit(unit)
    if category != "glucose" or drawn is None or drawn.base != usual.base:
        return None
    low, high = (usual.convert(each, drawn) for each in GLUCOSE_BAND)
    return low, high

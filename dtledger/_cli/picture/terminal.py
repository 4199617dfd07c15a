"""Readings drawn in the terminal."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

import plotext
from click import unstyle

from ..client import TwinReading
from .words import listed

HEIGHT = 16
WIDEST = 120


def plot(readings: Sequence[TwinReading], title: str, band: tuple[float, float] | None = None) -> str:
    """Values over time as text, as wide as the terminal, without colour where NO_COLOR is set.

    Times are shown at their own offsets, which the title names. `band` is drawn as two lines, such as the limits of the
    target range. All readings must have one unit.
    """
    times = [each.at.strftime("%Y-%m-%d %H:%M") for each in readings]
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.date_form("Y-m-d H:M", "d b H:M")
    plotext.plotsize(min(shutil.get_terminal_size((100, 24)).columns, WIDEST), HEIGHT)
    for limit in band or ():
        plotext.hline(limit, "green")
    plotext.plot(times, [each.value for each in readings], marker="braille", color="blue")
    offsets = sorted({each.at.strftime("%z") for each in readings})
    plotext.title(f"{title}, times at {listed(offsets)}" if offsets else title)
    text: str = plotext.build()
    return unstyle(text) if "NO_COLOR" in os.environ else text

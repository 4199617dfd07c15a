"""Readings drawn in the terminal."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import datetime

import plotext
from click import unstyle

from ...readings import SUSPECT, UNVERIFIED
from .scene import MEANT, Scene

HEIGHT = 16
WIDEST = 120

_FORM = "%Y-%m-%d %H:%M:%S"
_MARKERS = {SUSPECT: ("x", "red"), UNVERIFIED: ("^", "orange")}


def drawn(scene: Scene) -> str:
    """A scene as text, as wide as the terminal, without colour where NO_COLOR is set.

    Times are shown at their own offsets, which the title names. The target range is drawn as two lines, a forecast with
    its widest interval as points after the readings, what is not to be relied on as `x` and `^`.
    """
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.date_form("Y-m-d H:M:S", "H:M:S" if scene.brief else "d b H:M")
    plotext.plotsize(min(shutil.get_terminal_size((100, 24)).columns, WIDEST), HEIGHT)
    for limit in scene.band or ():
        plotext.hline(limit, "green")
    _line([each.at for each in scene.readings], [each.value for each in scene.readings], "blue")
    for verdict in MEANT:
        marker, colour = _MARKERS[verdict]
        own = [each for each in scene.readings if verdict in each.quality.split()]
        _points([each.at for each in own], [each.value for each in own], marker, colour)
    ahead = scene.forecast
    _points([each.at for each in ahead], [each.mean for each in ahead], "o", "magenta")
    for end in (1, 2):
        far = [each for each in ahead if each.intervals]
        _points([each.at for each in far], [float(each.intervals[-1][end]) for each in far], "-", "magenta")
    plotext.title(f"{scene.title}, times at {scene.offsets}" if scene.offsets else scene.title)
    text: str = plotext.build()
    return unstyle(text) if "NO_COLOR" in os.environ else text


def _line(times: Sequence[datetime], values: Sequence[float], colour: str) -> None:
    plotext.plot([each.strftime(_FORM) for each in times], list(values), marker="braille", color=colour)


def _points(times: Sequence[datetime], values: Sequence[float], marker: str, colour: str) -> None:
    if times:
        plotext.scatter([each.strftime(_FORM) for each in times], list(values), marker=marker, color=colour)

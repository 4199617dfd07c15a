"""A scene drawn as PNG or SVG, legible in grey, in print and to the colour-blind.

Colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color), and nothing is told by colour alone: what is
suspect is hatched and crossed, what is unverified dotted and of triangles, a forecast dashed and with diamonds. What
the picture shows stands below it in words, and in the file for programs that read aloud: as `Description` in a PNG, as
`desc` in an SVG. The same scene gives the same bytes.

The library is the extra `dtledger[plot]`.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from datetime import datetime
from html import escape
from itertools import pairwise
from statistics import median_low
from typing import TYPE_CHECKING, Any, Literal

from ...errors import InputError
from ...readings import SUSPECT, UNVERIFIED
from .scene import Expected, Scene, told

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Kind = Literal["png", "svg"]

WIDTH, HEIGHT = 9.0, 4.8
"""Inches of the picture of one scene, without the words below it."""
DOTS = 150
"""A dot of a PNG is this part of an inch."""
MOST_POINTS = 8_000
"""Of a line. A longer one is drawn by the least and the greatest of each of its stretches, which looks the same."""

BLUE, VERMILION, ORANGE, GREEN, PURPLE, YELLOW = "#0072B2", "#D55E00", "#E69F00", "#009E73", "#CC79A7", "#F0E442"
_STRETCHES = {SUSPECT: (VERMILION, "////", "x", "suspect"), UNVERIFIED: (ORANGE, "....", "^", "unverified")}
_FADING = {50: 0.42, 80: 0.28, 95: 0.16}
_LINE_CHARACTERS = 118
_TICKS = ["%Y", "%b", "%d", "%H:%M", "%H:%M", "%S.%f"]
_FIRST_TICKS = ["", "%Y", "%d %b", "%d %b", "%H:%M", "%H:%M"]
_CORNER = ["", "%Y", "%Y", "%Y-%m-%d", "%Y-%m-%d", "%Y-%m-%d %H:%M"]
"""Of times under an axis: years, months, days, hours, minutes, seconds; the first tick of the next larger unit; what
all share."""
_ORDER = ("readings", "suspect", "unverified", "target range", "twin's state", "expected")
"""Of the legend."""


def drawn(scenes: Sequence[Scene], kind: Kind) -> bytes:
    """The scenes one below the other, over one axis of time.

    Raises:
        InputError: the library is not installed.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ModuleNotFoundError as error:
        raise InputError(
            "Pictures in files are drawn with a library that is not installed.",
            hint="Install it: pip install 'dtledger[plot]'. Without --output it is drawn in the terminal.",
        ) from error
    words = [told(scene) for scene in scenes]
    lines = textwrap.wrap(" ".join(words), _LINE_CHARACTERS)
    below = 0.15 + 0.163 * len(lines)
    height = HEIGHT * len(scenes) + below
    style: Any = {"svg.hashsalt": "dtledger", "svg.fonttype": "none", "font.size": 10, "hatch.linewidth": 0.7}
    with matplotlib.rc_context(style):
        room = (0, below / height, 1, 1 - below / height)
        figure = Figure(figsize=(WIDTH, height), layout=ConstrainedLayoutEngine(rect=room, h_pad=0.09))
        FigureCanvasAgg(figure)
        axes = figure.subplots(len(scenes), 1, squeeze=False)[:, 0]
        for each, scene in zip(axes, scenes, strict=True):
            _draw(each, scene)
        figure.text(
            0.012, 0.1 / height, "\n".join(lines), fontsize=8.5, va="bottom", parse_math=False, linespacing=1.35
        )
        return saved(figure, kind, " and ".join(scene.title for scene in scenes), " ".join(words))


def _draw(axes: Axes, scene: Scene) -> None:
    if scene.band is not None:
        low, high = scene.band
        axes.axhspan(low, high, color=GREEN, alpha=0.10, lw=0, zorder=0, label="target range")
        for limit in scene.band:
            axes.axhline(limit, color=GREEN, lw=0.9, ls=(0, (6, 3)), zorder=1)
    _stretches(axes, scene)
    _states(axes, scene.state)
    times, values = _line(scene)
    axes.plot(times, values, color=BLUE, lw=1.3, zorder=4, label="readings", **_dots(len(scene.readings)))
    _fan(axes, _joined(scene))
    axes.set_title(scene.title, loc="left", fontsize=11, parse_math=False)
    axes.set_ylabel(f"{scene.category} ({scene.unit})", parse_math=False)
    axes.set_xlabel(f"local time, at {scene.offsets} from UTC")
    axes.grid(color="0.88", lw=0.6, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    _clock(axes, scene)
    warned = [word for word, there in (("STALE", scene.stale), ("FORECAST UNVERIFIED", scene.unverified)) if there]
    if warned:
        box = {"boxstyle": "square,pad=0.35", "facecolor": YELLOW, "edgecolor": "black", "linewidth": 1.2}
        axes.set_title(" · ".join(warned), loc="right", fontsize=10, fontweight="bold", bbox=box)
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(sorted(zip(labels, handles, strict=True), key=lambda each: _ORDER.index(each[0].partition(",")[0])))
    axes.legend(unique.values(), unique.keys(), loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=9)


def _dots(count: int) -> dict[str, Any]:
    """Few readings are dots on their line, a single one nothing else."""
    return {"marker": "o", "markersize": 2.6 if count > 40 else 4} if count <= 400 else {}


def _stretches(axes: Axes, scene: Scene) -> None:
    pad = _usual(scene) / 2
    for each in scene.stretches:
        colour, hatch, marker, label = _STRETCHES[each.verdict]
        begin, end = _number(each.begin) - pad, _number(each.end) + pad
        axes.axvspan(begin, end, facecolor=colour, alpha=0.12, lw=0, zorder=1)
        axes.axvspan(begin, end, facecolor="none", edgecolor=colour, hatch=hatch, lw=0, alpha=0.55, zorder=1)
        own = [one for one in scene.readings if each.begin <= one.at <= each.end]
        axes.plot(
            [_number(one.at) for one in own],
            [one.value for one in own],
            color=colour,
            ls="",
            marker=marker,
            markersize=5,
            markerfacecolor="none",
            markeredgewidth=1.2,
            zorder=5,
            label=label,
        )


def _states(axes: Axes, states: Sequence[Expected]) -> None:
    """What the twin held for true, a square with its interval for each state that was told; nothing is drawn between
    them, for nothing is known of it."""
    if not states:
        return
    times, means = [_number(each.at) for each in states], [each.mean for each in states]
    ends = [each.intervals[-1] if each.intervals else (0, each.mean, each.mean) for each in states]
    reach = [
        [max(each.mean - low, 0) for each, (_, low, _) in zip(states, ends, strict=True)],
        [max(high - each.mean, 0) for each, (_, _, high) in zip(states, ends, strict=True)],
    ]
    label = f"twin's state, {ends[-1][0]} %" if ends[-1][0] else "twin's state"
    form: Any = {
        "fmt": "s",
        "color": "0.2",
        "markersize": 4.5,
        "markerfacecolor": "white",
        "elinewidth": 1.4,
        "capsize": 3,
    }
    axes.errorbar(times, means, yerr=reach, zorder=5, label=label, **form)


def _fan(axes: Axes, points: Sequence[Expected]) -> None:
    """A line of what is expected, and around it its intervals, each wider one fainter."""
    if not points:
        return
    times = [_number(each.at) for each in points]
    for percent in sorted({percent for each in points for percent, _, _ in each.intervals}, reverse=True):
        own = {each.at: (low, high) for each in points for one, low, high in each.intervals if one == percent}
        ends = [own.get(each.at, (each.mean, each.mean)) for each in points]
        axes.fill_between(
            times,
            [low for low, _ in ends],
            [high for _, high in ends],
            color=PURPLE,
            alpha=_FADING.get(percent, 0.2),
            lw=0,
            zorder=2,
            label=f"expected, {percent} %",
        )
    axes.plot(times, [each.mean for each in points], color=PURPLE, ls="--", lw=1.6, zorder=3, label="expected")
    ahead = [each for each in points if each.intervals]
    at = [_number(each.at) for each in ahead]
    axes.plot(at, [each.mean for each in ahead], color=PURPLE, ls="", marker="D", markersize=5, zorder=6)


def _joined(scene: Scene) -> list[Expected]:
    """The forecast, going out from the newest reading where that is to be relied on."""
    last = scene.readings[-1]
    relied_on = not (scene.stretches and scene.stretches[-1].end == last.at)
    if scene.forecast and relied_on and last.at < scene.forecast[0].at:
        return [Expected(last.at, last.value, ()), *scene.forecast]
    return list(scene.forecast)


def _line(scene: Scene) -> tuple[list[float], list[float]]:
    """Times and values of the line of readings, which is broken where at least one is missing."""
    times, values = [_number(each.at) for each in scene.readings], [each.value for each in scene.readings]
    if len(times) > MOST_POINTS:
        return _envelope(times, values)
    usual = _usual(scene)
    broken: tuple[list[float], list[float]] = ([], [])
    for place, (time, value) in enumerate(zip(times, values, strict=True)):
        if place and usual and time - times[place - 1] > 2.5 * usual:
            broken[0].append((time + times[place - 1]) / 2)
            broken[1].append(float("nan"))
        broken[0].append(time)
        broken[1].append(value)
    return broken


def _envelope(times: list[float], values: list[float]) -> tuple[list[float], list[float]]:
    """The least and the greatest of equal stretches of a long line, in their order."""
    size = -(-len(times) * 2 // MOST_POINTS)
    thin: tuple[list[float], list[float]] = ([], [])
    for begin in range(0, len(times), size):
        some = range(begin, min(begin + size, len(times)))
        for place in sorted({min(some, key=values.__getitem__), max(some, key=values.__getitem__)}):
            thin[0].append(times[place])
            thin[1].append(values[place])
    return thin


def _usual(scene: Scene) -> float:
    """Days between two readings, as a rule."""
    times = sorted({_number(each.at) for each in scene.readings})
    return median_low([later - earlier for earlier, later in pairwise(times)]) if len(times) > 1 else 0.0


def _clock(axes: Axes, scene: Scene) -> None:
    """Local times under the axis: the hour where a day is looked at, the day where more are."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    zone = scene.zone or scene.readings[-1].at.tzinfo
    locator = AutoDateLocator(tz=zone, minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(  # type: ignore[no-untyped-call]
        locator, tz=zone, formats=_TICKS, zero_formats=_FIRST_TICKS, offset_formats=_CORNER
    )
    axes.xaxis.set_major_formatter(formatter)
    if len(scene.readings) == 1 and not scene.forecast:
        at = _number(scene.readings[0].at)
        axes.set_xlim(at - 1 / 48, at + 1 / 48)


def _number(at: datetime) -> float:
    """Days since 1970, as matplotlib counts them."""
    return at.timestamp() / 86_400


def saved(figure: Figure, kind: Kind, title: str, words: str) -> bytes:
    """A figure's bytes, which tell its title and what it shows in words."""
    made = io.BytesIO()
    if kind == "png":
        metadata = {"Title": title, "Description": words, "Software": "dtledger"}
        figure.savefig(made, format="png", dpi=DOTS, metadata=metadata)
        return made.getvalue()
    figure.savefig(made, format="svg", metadata={"Title": title, "Description": words, "Date": None})
    head, mark, rest = made.getvalue().decode().partition("<svg ")
    opening, end, body = rest.partition(">")
    return (
        f'{head}{mark}role="img" aria-labelledby="picture-title picture-text" {opening}{end}\n'
        f' <title id="picture-title">{escape(title)}</title>\n <desc id="picture-text">{escape(words)}</desc>{body}'
    ).encode()

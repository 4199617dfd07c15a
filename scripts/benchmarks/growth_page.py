"""The pictures of growth and the page that shows them: each with a sentence that says the same in numbers."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from pathlib import Path
from statistics import linear_regression
from typing import TYPE_CHECKING

from dtledger._backend.files import write_atomically
from dtledger._cli.picture.file import BLUE, GREEN, ORANGE, PURPLE, VERMILION, saved

from .figures import quantity
from .growing import AXES, Grew, Growth, Point
from .record import QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORDS: Mapping[str, tuple[str, str, str]] = {
    # what was done: in words, its colour, its mark
    "grant": ("to grant", BLUE, "o"),
    "check": ("to ask the rule", VERMILION, "^"),
    "read": ("to read the newest hour", GREEN, "s"),
    "decide": ("a custodian to decide", ORANGE, "D"),
    "audit": ("to audit the twin", PURPLE, "v"),
    "first": ("a new client's first question", "0.3", "x"),
}


def told(axis: str, grew: Grew) -> str:
    """What was measured of an axis, in sentences."""
    points = grew.points
    first, last = min(points), max(points)
    parts = [
        f"{words} {_seconds(points[first][name])} to {_seconds(points[last][name])}"
        + (f" (to the power of {round(power, 2) + 0.0:.2f})" if (power := _power(points, name)) is not None else "")
        for name, (words, _, _) in WORDS.items()
    ]
    return (
        f"From {first:,} to {last:,} {AXES[axis][0]}, it takes {'; '.join(parts)}. "
        "The power is that of the three greatest sizes: 0 does not grow, 1 grows in proportion. Measured on "
        f"{grew.at[:10]}" + (f", beside other work ({grew.load:.1f} cores)." if grew.load > QUIET else ".")
    )


def _seconds(value: float) -> str:
    return quantity(value, "s") if value >= 1 else quantity(1000 * value, "ms")


def _power(points: Mapping[int, Point], name: str) -> float | None:
    """The exponent that fits best, by least squares of the logarithms, where the size tells; None of a single size."""
    sizes = sorted(points)[-3:]
    if len(sizes) < 2:
        return None
    return linear_regression([math.log(each) for each in sizes], [math.log(points[each][name]) for each in sizes]).slope


def draw(axis: str, grew: Grew) -> bytes:
    """The picture, as SVG."""
    import matplotlib
    from matplotlib.figure import Figure

    words = told(axis, grew)
    lines = textwrap.wrap(words, 118)
    below = 0.2 + 0.17 * len(lines)
    height = 4.2 + below
    with matplotlib.rc_context({"svg.hashsalt": "dtledger", "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, height))
        figure.subplots_adjust(left=0.09, right=0.72, top=0.93, bottom=(below + 0.55) / height)
        _lines(figure.subplots(), axis, grew.points)
        figure.text(0.012, 0.1 / height, "\n".join(lines), fontsize=8.5, va="bottom", linespacing=1.35)
        return saved(figure, "svg", f"Growth with {AXES[axis][0]}", words)


def _lines(axes: Axes, axis: str, points: Mapping[int, Point]) -> None:
    sizes = sorted(points)
    for name, (words, colour, marker) in WORDS.items():
        axes.plot(sizes, [points[each][name] for each in sizes], color=colour, marker=marker, label=words, lw=1.3)
    axes.set(xscale="log", yscale="log", xlabel=AXES[axis][0], ylabel="s")
    axes.set_xticks(sizes, [f"{each:,}" for each in sizes])
    axes.minorticks_off()
    axes.grid(color="0.88", lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.02, 1))


def write(folder: Path, growth: Growth) -> None:
    """A picture of each axis that was measured."""
    for axis, grew in growth.items():
        write_atomically(folder / f"{axis}.svg", draw(axis, grew), mode=0o644)


def pictures(growth: Growth) -> str:
    """The part of the page that shows them, in Markdown; they lie in the folder `growth` beside it."""
    shown = (
        f"### {AXES[axis][0].capitalize()}\n\n![{AXES[axis][0]}](growth/{axis}.svg)\n\n"
        + textwrap.fill(told(axis, grew), 120)
        for axis, grew in growth.items()
    )
    return "\n\n".join(shown) or "Nothing was measured yet."

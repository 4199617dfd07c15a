"""How the audit of a twin grows with its history: `scripts/bench --growth FILE.svg`.

Twins of ever longer history, each twice as long as the one before, are written on one chain and audited: on the chain,
and from the file that it is exported into. Time and size are drawn over the history, both axes by powers, beside what
grows in proportion; the picture ends with the exponents in words (1 is in proportion).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression

from dtledger._backend.files import write_atomically
from dtledger._cli.picture.file import BLUE, VERMILION, saved
from dtledger.audit import Asked, Audit, Bundle, Question, exit_code, export, verify
from dtledger.errors import InputError

from .auditing import given, node_of
from .bench import DIRECTORY, Bench
from .storing import fill, glucose
from .timing import timed
from .world import World


@dataclass(frozen=True, slots=True)
class Audited:
    """A twin of so many hourly snapshots: seconds of its audit on the chain and from its file, and the file's bytes."""

    snapshots: int
    seconds: float
    offline_seconds: float
    size: int


def require_svg(path: Path) -> None:
    """Pass if the picture can go there, before anything is measured.

    Raises:
        InputError: the file's name ends in something else.
    """
    if path.suffix != ".svg":
        raise InputError("The picture of growth is an SVG.", hint="Name a file that ends in .svg.")


def measure(bench: Bench) -> list[Audited]:
    world = bench.world(DIRECTORY)
    return [_audited(world, hours) for hours in bench.sizes.growth]


def _audited(world: World, hours: int) -> Audited:
    filled = fill(world, "glucose", glucose(world, hours))
    context, twin = world.patient.context, filled.consent.twin
    asked = Asked(Question(twin=twin), given(world, twin), context.deployment)
    claims, seconds = timed(lambda: list(Audit(asked, node_of(world), context.store).claims()))
    assert exit_code(claims) == 0, "a claim of an honest twin does not pass"
    data = export(asked, node_of(world), context.store)[0].encode()
    _, offline = timed(lambda: verify(Bundle.decode(data)))
    return Audited(filled.snapshots, seconds, offline, len(data))


def told(rows: Sequence[Audited]) -> str:
    """What was measured, in sentences."""
    first, last = rows[0], rows[-1]
    return (
        f"From {first.snapshots:,} to {last.snapshots:,} hourly snapshots of a twin the audit on the chain takes "
        f"{first.seconds:.2g} to {last.seconds:.2g} s, from its file {first.offline_seconds:.2g} to "
        f"{last.offline_seconds:.2g} s, and the file has {first.size / 2**20:.2g} to {last.size / 2**20:.2g} MiB. They "
        f"grow with the history to the power of {_power(rows, 'seconds'):.2f}, {_power(rows, 'offline_seconds'):.2f} "
        f"and {_power(rows, 'size'):.2f}; 1 is in proportion, 2 with its square."
    )


def _power(rows: Sequence[Audited], name: str) -> float:
    """The exponent of the power of the history that fits best, by least squares of the logarithms."""
    history = [math.log(row.snapshots) for row in rows]
    return linear_regression(history, [math.log(getattr(row, name)) for row in rows]).slope


def draw(rows: Sequence[Audited], path: Path) -> None:
    """The picture, as SVG."""
    import textwrap

    import matplotlib
    from matplotlib.figure import Figure

    lines = textwrap.wrap(told(rows), 118)
    with matplotlib.rc_context({"svg.hashsalt": "dtledger", "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 4.4))
        seconds, size = figure.subplots(1, 2)
        figure.subplots_adjust(left=0.08, right=0.98, top=0.92, bottom=0.32, wspace=0.22)
        history = [row.snapshots for row in rows]
        for values, colour, marker, label in (
            ([row.seconds for row in rows], BLUE, "o", "on the chain"),
            ([row.offline_seconds for row in rows], VERMILION, "^", "from its file"),
        ):
            seconds.plot(history, values, color=colour, marker=marker, label=label)
            seconds.plot(history, _proportional(history, values), color="0.6", ls=":", lw=1)
        sizes = [row.size / 2**20 for row in rows]
        size.plot(history, sizes, color=BLUE, marker="o", label="the file")
        size.plot(history, _proportional(history, sizes), color="0.6", ls=":", lw=1, label="in proportion")
        for axes, unit in ((seconds, "s"), (size, "MiB")):
            axes.set(xscale="log", yscale="log", xlabel="hourly snapshots of the twin", ylabel=unit)
            axes.set_title({"s": "time of its audit", "MiB": "size of its audit's file"}[unit], loc="left", fontsize=11)
            axes.set_xticks(history, [f"{each:,}" for each in history])
            axes.minorticks_off()
            axes.grid(color="0.88", lw=0.6)
            axes.spines[["top", "right"]].set_visible(False)
            axes.legend(frameon=False, fontsize=9)
        figure.text(0.012, 0.02, "\n".join(lines), fontsize=8.5, va="bottom", linespacing=1.35)
        data = saved(figure, "svg", "The audit of a twin over its history", told(rows))
    write_atomically(path, data, mode=0o644)


def _proportional(history: Sequence[int], values: Sequence[float]) -> list[float]:
    return [values[0] * each / history[0] for each in history]

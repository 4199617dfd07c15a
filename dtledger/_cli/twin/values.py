"""Readings as lines: a table for people, CSV for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..app import App

if TYPE_CHECKING:
    from ...client import Readings, TwinReading


def table_lines(app: App, readings: Readings) -> list[str]:
    from ...vocabulary import known_unit

    lines = []
    for each in readings:
        unit = known_unit(each.unit)
        value = f"{each.value:.{unit.decimals}f}" if unit else f"{each.value:g}"
        words = [
            each.quality,
            f"({each.why})" if each.why else "",
            "late" if each.late else "",
            *_correction(app, readings, each),
        ]
        lines.append(f"{_time(app, each)}  {value:>7} {each.unit}  {' '.join(filter(None, words))}".rstrip())
    return lines


def _time(app: App, each: TwinReading) -> str:
    """To the minute; of a signal that is sampled faster than once a second, to the microsecond."""
    if not each.at.microsecond:
        return app.time(each.at)
    return each.at.astimezone(app.zone).strftime("%Y-%m-%d %H:%M:%S.%f %z")


def _correction(app: App, readings: Readings, each: TwinReading) -> Iterator[str]:
    """Whether it is corrected, and of what stands no more by whom it was and why."""
    if each.corrected:
        yield "corrected"
    if each.superseded_by:
        by = readings.amendments[each.superseded_by]
        yield f"superseded by {each.superseded_by[:16]} of {app.people.name(by.writer)}: {by.reason}"


def csv_lines(readings: Readings, *, header: bool = True) -> list[str]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(["time", "value", "unit", "quality", "late", "snapshot", "corrected", "superseded_by", "why"])
    for each in readings:
        value = [each.at.isoformat(), each.value, each.unit, each.quality, int(each.late), each.snapshot]
        writer.writerow([*value, int(each.corrected), each.superseded_by, each.why])
    return text.getvalue().splitlines()

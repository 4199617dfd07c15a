"""A file's readings as what a device measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from .. import account
from ..app import App

if TYPE_CHECKING:
    from ...device.sender import Device, Measurement
    from ...readings import Reading


def measured(
    app: App, device: Device, source: Any, category: str | None, quality: str, reading: dict[str, Any], *, skip: bool
) -> tuple[list[Measurement], int]:
    """What of the file the device did not send yet, in the order of time, and how many readings are left out: those it
    sent, and those of before its enrolment.

    Raises:
        InputError: the device does not measure that, or rows of the file cannot be read.
    """
    from ...importers import read_file
    from ...readings import SOURCES

    place = _channel(device, category, quality)
    name, unit, decimals, word = device.channels[place]
    imported = read_file(source, category=name, **reading)
    app.say(account.rows(imported))
    for line in account.problems(imported):
        app.say(f"  {line}")
    if imported.problems and not skip:
        raise InputError(
            f"{len(imported.problems)} of {imported.rows} rows cannot be read, so nothing was sent.",
            hint="Mend them, or send the others: --skip-unreadable.",
        )
    after = max(device.last[place], device.since - 1)
    found = {
        each.seconds: _number(place, each.to(unit), decimals)
        for each in reversed(imported.readings)
        if " ".join(sorted(SOURCES & {*each.quality.split()})) == word
    }
    rows = [row for seconds, row in sorted(found.items()) if seconds > after]
    return rows, len(imported.readings) - len(rows)


def _channel(device: Device, category: str | None, quality: str) -> int:
    """The place of the channel that is named, or of the only one."""
    fits = [
        place
        for place, (name, _, _, word) in enumerate(device.channels)
        if category in (None, name) and word == (quality or word)
    ]
    if len(fits) == 1:
        return fits[0]
    measures = ", ".join(f"{name} {word}".strip() for name, _, _, word in device.channels)
    raise click.UsageError(f"The device measures {measures}: name one by --category, and perhaps --quality.")


def _number(channel: int, reading: Reading, decimals: int) -> Measurement:
    from ...readings import ABOVE_RANGE, BELOW_RANGE

    number = round(reading.value * 10**decimals)
    words = reading.quality.split()
    mark = 1 if BELOW_RANGE in words else 2 if ABOVE_RANGE in words else 0
    return (channel, reading.seconds, number, mark) if mark else (channel, reading.seconds, number)

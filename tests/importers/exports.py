"""Files as devices and data sets write them, with the faults that real ones have."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import datetime, timedelta

from dtledger.importers import Import, read_file

CLARITY_HEADINGS = (
    "Index,Timestamp (YYYY-MM-DDThh:mm:ss),Event Type,Event Subtype,Patient Info,Device Info,Source Device ID,"
    "Glucose Value ({unit}),Insulin Value (u),Carb Value (grams),Duration (hh:mm:ss),"
    "Glucose Rate of Change ({unit}/min),Transmitter Time (Long Integer),Transmitter ID"
)


def read(text: str | bytes, source_format: str = "auto", **options: object) -> Import:
    data = text.encode() if isinstance(text, str) else text
    return read_file(io.BytesIO(data), source_format, **options)  # type: ignore[arg-type]


def times(start: str, count: int, minutes: int = 5, form: str = "%Y-%m-%dT%H:%M:%S") -> list[str]:
    """Wall-clock times, one every `minutes`."""
    first = datetime.fromisoformat(start)
    return [(first + timedelta(minutes=minutes * step)).strftime(form) for step in range(count)]


def csv(headings: str, rows: Iterable[tuple[object, ...]], *, end: str = "\n") -> str:
    return end.join([headings, *(",".join(map(str, row)) for row in rows), ""])


def clarity(
    events: Iterable[tuple[str, str, str]], *, unit: str = "mg/dL", quoted: bool = False, end: str = "\r\n"
) -> str:
    """A Clarity export of a made-up patient: rows without time first, then `events` (time, type, value)."""
    preamble = [
        *(f",{kind},,{info},,,,,,,," for kind, info in (("FirstName", "Ada"), ("LastName", "Lovelace"))),
        ",DateOfBirth,,1815-12-10,,,,,,,,",
        ",Device,,,Dexcom G7 Mobile App,iOS G7,,,,,,",
        ",Alert,High,,Dexcom G7 Mobile App,iOS G7,200,,,,,",
        ",Alert,Low,,Dexcom G7 Mobile App,iOS G7,70,,,,,",
    ]
    rows = list(preamble)
    for time, kind, value in events:
        subtype = value if value in {"Low", "High"} else ""
        if kind in {"EGV", "Calibration"}:
            rows.append(f"{time},{kind},{subtype},,,iOS G7,{value},,,,0.4,4237574,8AM1EY")
        else:
            rows.append(f"{time},{kind},{subtype},,,iOS G7,,{value},,,,")
    lines = [CLARITY_HEADINGS.format(unit=unit), *(f"{index},{row}" for index, row in enumerate(rows, start=1))]
    if quoted:
        lines = [",".join(f'"{cell}"' for cell in line.split(",")) for line in lines]
    return end.join([*lines, ""])


def study_like(
    *, days: int = 3, start: str = "2023-10-27T00:04", value: float = 7.5, end: str = "\r\n", mark: str = "\ufeff"
) -> str:
    """A study's glucose file: a byte-order mark, headings without a unit, days before months, no seconds, a gap of a
    night, repeats with the same and with another value, the sensor's floor said as a word, a value that none can be."""
    rows: list[tuple[str, str]] = []
    for step, time in enumerate(times(start, days * 288, form="%d/%m/%Y %H:%M")):
        if 300 <= step < 372:
            continue
        rows.append((time, f"{value + (step % 7) / 10:.1f}"))
        if step % 50 == 0:
            rows.append(rows[-1])
        if step % 90 == 0:
            rows.append((time, "15.2"))
    rows[20] = (rows[20][0], "Low")
    rows[21] = (rows[21][0], "0.1")
    return mark + csv("bg_ts,value", rows, end=end)

"""Recordings of signals as monitors and BITalinos write them, with the faults that real ones have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

MISSING = -(1 << 15)
"""What says in format 16 that there is no sample."""

NUMERICS = (("HR", 10, "bpm"), ("PULSE", 10, "bpm"), ("RESP", 10, "pm"), ("SpO2", 10, "%"), ("NBPSys", 1, "mmHg"))


def numerics(folder: Path, *, minutes: int = 60, date: str = " 10/10/2896", time: str = " 31:25.894") -> Path:
    """A monitor's numerics, one a minute: heart rates of 60, the pulse's off for the first five minutes (0), a heart
    rate of 0 at the third minute and of 4 at the seventh, a cuff that is inflated every ten minutes."""
    rows = [
        (
            0 if minute == 2 else 40 if minute == 6 else 600 + minute,
            0 if minute < 5 else 610 + minute,
            180,
            970,
            120 if minute % 10 == 0 else MISSING,
        )
        for minute in range(minutes)
    ]
    return record(folder, "s1n", NUMERICS, rows, rate="0.0166666666667/125", begun=f"{time}{date}")


def record(
    folder: Path,
    name: str,
    signals: Sequence[tuple[str, float, str]],
    rows: Sequence[Sequence[int]],
    *,
    rate: str = "125",
    begun: str = "",
    checksums: bool = True,
    frames: int | None = None,
) -> Path:
    """A record in format 16, of signals by name, gain and unit; the path of its header."""
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in signals]
    (folder / f"{name}.dat").write_bytes(
        b"".join(cell.to_bytes(2, "little", signed=True) for row in rows for cell in row)
    )
    lines = [f"{name} {len(signals)} {rate} {len(rows) if frames is None else frames}{begun}"]
    for (signal, gain, unit), column in zip(signals, columns, strict=True):
        said = (sum(column) + (1 << 15)) % (1 << 16) - (1 << 15) if checksums else 0
        first = column[0] if column else 0
        lines.append(f"{name}.dat 16 {gain:g}/{unit} 16 0 {first} {said} 0 {signal}")
    return header(folder, name, lines)


def segmented(folder: Path, *, date: str = " 02/11/2026") -> Path:
    """An electrocardiogram of three segments and a gap: leads II and V, then a second without a recording, then V
    alone, then II and V with another gain."""
    begun = f" 10:00:00{date}"
    record(folder, "m_0001", (("II", 100, "mV"), ("V", 50, "mV")), [(step, -step) for step in range(250)])
    record(folder, "m_0002", (("V", 50, "mV"),), [(7,)] * 125)
    record(folder, "m_0003", (("II", 200, "mV"), ("V", 50, "mV")), [(step, 1) for step in range(250)])
    layout = ["~ 0 100/mV 11 0 -1024 0 0 II", "~ 0 50/mV 11 0 -1024 0 0 V"]
    header(folder, "m_layout", ["m_layout 2 125 0 10:00:00", *layout])
    segments = ["m_layout 0", "m_0001 250", "~ 125", "m_0002 125", "m_0003 250"]
    return header(folder, "m", [f"m/5 2 125 750{begun}", *segments])


def header(folder: Path, name: str, lines: Iterable[str]) -> Path:
    path = folder / f"{name}.hea"
    path.write_text("\n".join([*lines, "# <age>: 60 <sex>: F", ""]), "ascii")
    return path


SAMPLES = [512, 700, 0, 1023, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415]


def bitalino(
    samples: Iterable[int] = SAMPLES,
    *,
    numbers: Sequence[int] | None = None,
    rows: Sequence[str] | None = None,
    device: dict[str, Any] | None = None,
    devices: int = 1,
) -> str:
    """An OpenSignals file of a BITalino with an electrocardiogram on A2 and light on A6; sequence numbers count on from
    1, unless `numbers` says others."""
    one = {
        "sensor": ["ECG", "LUX"],
        "device name": "20:16:02:26:60:88",
        "label": ["A2", "A6"],
        "column": ["nSeq", "I1", "I2", "O1", "O2", "A2", "A6"],
        "resolution": [4, 1, 1, 1, 1, 10, 6],
        "sync interval": 2,
        "date": "2026-11-2",
        "time": "7:3:47.29",
        "device": "bitalino",
        "sampling rate": 1000,
        "channels": [2, 6],
        "digital IO": [0, 0, 1, 1],
    } | (device or {})
    head = json.dumps({f"20:16:02:26:60:8{number}": one for number in range(devices)})
    some = list(samples)
    counted = [(place + 1) % 16 for place in range(len(some))] if numbers is None else list(numbers)
    written = [f"{number}\t1\t1\t0\t0\t{sample}\t31\t" for number, sample in zip(counted, some, strict=True)]
    lines = ["# OpenSignals Text File Format", f"# {head}", "# EndOfHeader", *(rows or written)]
    return "\n".join([*lines, ""])

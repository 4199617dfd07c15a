"""The machine that figures are of, and what else it does meanwhile."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_IDLE = (3, 4)
"""Places of idle and of waiting for the disk, in Linux's account of the processors' time."""


def machine() -> dict[str, str | float]:
    """What the figures depend on. No name of a host is in it."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def load(seconds: float) -> float:
    """How many cores are busy while this process does nothing for so long: with others' work. Where the system gives
    no account of it, the load average of the last minute."""
    if not _STAT.exists():
        return round(os.getloadavg()[0], 2)
    before, begun = busy_seconds(), time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - begun
    return round((busy_seconds() - before) / passed, 2)


def busy_seconds() -> float:
    """Seconds that all processors together have worked, those included that a host took from them."""
    spent = [int(each) for each in _STAT.read_text().splitlines()[0].split()[1:9]]
    return sum(each for place, each in enumerate(spent) if place not in _IDLE) / os.sysconf("SC_CLK_TCK")


def _cpu() -> str:
    """The processor's kind, as the system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()

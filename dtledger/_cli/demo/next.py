"""What to try next: commands that work as they are printed."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from ...home import Home
from ...readings import Reading
from .. import times

_DAY = 86_400


def commands(home: Home, twin: int, patient: str, readings: Sequence[Reading], now: int) -> list[str]:
    """Five commands on the twin that show something, however long ago its readings end."""
    place = shown(home.root)
    newest = "24h" if now - readings[-1].seconds < _DAY else times.minute_at(readings[-1].minute - 1440)
    oldest = times.minute_at(readings[0].minute // 60 * 60)
    past = "--history 30d" if now - readings[0].seconds < 30 * _DAY else f"--data-from {oldest}"
    return [
        f"{program()} {words} --home {place}"
        for words in (
            f"twin plot {twin} --category glucose --purpose PATRQT --since {newest} --key {patient}",
            f"consent grant --twin {twin} --to cardiology --category glucose --purpose TREAT --for 30d {past} "
            f"--key {patient} --yes",
            f"twin read {twin} --category glucose --purpose TREAT --since {newest} --key cardiology",
            f"consent revoke {twin}/cardiology/0 --key {patient} --yes",
            f"twin access {twin} --key {patient}",
        )
    ]


def shown(place: Path) -> str:
    """A path as it is shortest from here, as a shell takes it."""
    path = os.path.relpath(place)
    return shlex.quote(path if not path.startswith("..") else str(place))


def program() -> str:
    """How this program was called, so that what is printed can be called."""
    if shutil.which("dtledger"):
        return "dtledger"
    if Path(sys.argv[0]).name in ("__main__.py", "-c"):
        return f"{shown(Path(sys.executable))} -m dtledger"
    called = os.path.relpath(sys.argv[0])
    return called if not called.startswith("..") else sys.argv[0]

"""What to try next: commands that work as they are printed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from ...home import Home
from ...readings import Reading
from .. import times

_DAY = 86_400


def commands(home: Home, twin: int, patient: str, readings: Sequence[Reading], now: int) -> list[str]:
    """Five commands on the twin that show something, however long ago its readings end."""
    place = shown(home)
    newest = "24h" if now - readings[-1].seconds < _DAY else times.minute_at(readings[-1].minute - 1440)
    oldest = times.minute_at(readings[0].minute // 60 * 60)
    past = "--history 30d" if now - readings[0].seconds < 30 * _DAY else f"--data-from {oldest}"
    return [
        f"{_program()} {words} --home {place}"
        for words in (
            f"twin plot {twin} --category glucose --purpose PATRQT --since {newest} --key {patient}",
            f"consent grant --twin {twin} --to cardiology --category glucose --purpose TREAT --for 30d {past} "
            f"--key {patient} --yes",
            f"twin read {twin} --category glucose --purpose TREAT --since {newest} --key cardiology",
            f"consent revoke {twin}/cardiology/0 --key {patient} --yes",
            f"twin access {twin} --key {patient}",
        )
    ]


def shown(home: Home) -> str:
    """The home's path as it is shortest from here."""
    path = os.path.relpath(home.root)
    return path if not path.startswith("..") else str(home.root)


def _program() -> str:
    """How this program was called, so that what is printed can be called."""
    if shutil.which("dtledger"):
        return "dtledger"
    called = os.path.relpath(sys.argv[0])
    return called if not called.startswith("..") else sys.argv[0]

"""What can befall a process that a folder names: it is killed, it is stopped as if cut off, it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from dtledger._backend.detached import Detached
from dtledger.errors import InputError, UnreachableError

_PAUSE = 0.02


def process_of(folder: Path) -> Detached:
    """The process of a service, a kubo or a validator that lives in `folder`."""
    return Detached(folder / "process")


def kill(folder: Path) -> None:
    """kill -9, and wait until it is gone. Raises as `_signal`."""
    process = _signal(folder, signal.SIGKILL)
    wait_until(lambda: not process.is_held(), 30, f"The process in {folder} does not end.")


def pause(folder: Path) -> None:
    """Stop it as it stands (SIGSTOP): to others it is cut off, to itself no time passes. Raises as `_signal`."""
    _signal(folder, signal.SIGSTOP)


def resume(folder: Path) -> None:
    """Let it go on (SIGCONT). Raises as `_signal`."""
    _signal(folder, signal.SIGCONT)


def state(folder: Path) -> str:
    """`runs`, `paused` or `down`."""
    pid = process_of(folder).pid
    if pid is None:
        return "down"
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607
    return "paused" if told.stdout.strip().startswith("T") else "runs"


def stop(folder: Path, timeout: float = 60.0) -> bool:
    """Ask it to end, whether it is paused or not; whether it has ended in that time."""
    process = process_of(folder)
    if process.pid is not None:
        _signal(folder, signal.SIGCONT)
    return process.terminate(timeout=timeout)


def wait_until(holds: Callable[[], bool], seconds: float, otherwise: str, hint: str = "") -> None:
    """Return when it holds.

    Raises:
        UnreachableError: it does not within that time; with that text.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise UnreachableError(otherwise, hint=hint)
        time.sleep(_PAUSE)


def _signal(folder: Path, number: signal.Signals) -> Detached:
    """Raises InputError: nothing runs there."""
    process = process_of(folder)
    pid = process.pid
    if pid is None:
        raise InputError(f"Nothing runs in {folder}.", hint="`scripts/network status` shows what does.")
    os.kill(pid, number)
    return process

"""A process that outlives its starter, one a folder.

It inherits an `flock` on the folder's lock file and holds it while it lives, however its starter ends; the kernel lets
go when it dies. So "is it running?" needs no guess about process numbers, two starters cannot start two, and only the
process that holds the lock, which wrote its own number into the folder, is ever signalled.

Warning:
    On a network file system that does not hand an `flock` on to a child, two processes could run on one folder.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     sleeper = Detached(Path(folder))
...     sleeper.launch(lambda: ["sleep", "60"]), sleeper.launch(lambda: ["sleep", "60"])
...     sleeper.terminate(timeout=10), sleeper.is_held()
(True, False)
(True, False)
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PAUSE = 0.02
# In the background, so that it is nobody's child; there it writes its own number before it becomes the program.
_IN_BACKGROUND = 'sh -c "$0" "$@" &'
_BECOME = 'echo $$ >"$0"; exec "$@"'


@dataclass(frozen=True, slots=True)
class Detached:
    """The one process that holds `folder`. What it says goes to `log`."""

    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def pid(self) -> int | None:
        """Its number; None if none runs, or it is being started at this very moment."""
        if not self.is_held():
            return None
        try:
            return int((self.folder / "pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def is_held(self) -> bool:
        """Whether it runs, or is being started."""
        try:
            lock = os.open(self.folder / "lock", os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def launch(self, command: Callable[[], Sequence[str | Path]]) -> bool:
        """Starts it, unless the folder is held; says whether it did. While `command` is asked, nobody else can start.

        Raises:
            OSError: the folder cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._spawn(command(), lock)
        except BlockingIOError:
            return False
        finally:
            os.close(lock)  # the process has its own copy, so the lock lives as long as it
        return True

    def terminate(self, *, timeout: float) -> bool:
        """Asks it to end, once, and waits; says whether it has ended within `timeout` seconds. It is never killed."""
        deadline = time.monotonic() + timeout
        asked = False
        while self.is_held():
            if time.monotonic() > deadline:
                return False
            if not asked and (pid := self.pid) is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
                asked = True
            time.sleep(_PAUSE)
        return True

    def _spawn(self, command: Sequence[str | Path], lock: int) -> None:
        number = self.folder / "pid"
        number.unlink(missing_ok=True)
        with self.log.open("wb") as log:
            subprocess.run(
                ["/bin/sh", "-c", _IN_BACKGROUND, _BECOME, number, *command],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock],
                start_new_session=True,
                check=True,
            )

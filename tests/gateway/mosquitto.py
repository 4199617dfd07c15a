"""A Mosquitto of a test's own, on a free port of loopback, where Debian's package is installed."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30.0


def find() -> str | None:
    """The program, if it is installed; sbin is not on everybody's PATH."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def broker(folder: Path, *lines: str) -> Iterator[int]:
    """A broker with these lines of configuration besides, and its port."""
    program = find()
    assert program is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    config = folder / "mosquitto.conf"
    own = [f"user {getpass.getuser()}", "persistence false", f"listener {port} 127.0.0.1", "log_dest none"]
    config.write_text("\n".join([*own, *(lines or ("allow_anonymous true",))]) + "\n")
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(process, port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    """Until it listens."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with socket.socket() as probe:
            probe.settimeout(PATIENCE)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "mosquitto ended"
        assert time.monotonic() < deadline, "mosquitto does not listen"

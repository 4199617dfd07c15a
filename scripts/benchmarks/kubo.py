"""A kubo of its own for one run: offline, in a folder that goes away with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .figures import NotMeasuredError

_BUILT = Path(__file__).parents[2] / ".work/kubo/ipfs"
_PATIENCE = 60.0
_SETTINGS = {
    "Addresses.API": '"/ip4/127.0.0.1/tcp/0"',  # the system chooses a port, and kubo writes it into the file `api`
    "Addresses.Gateway": "[]",
    "Addresses.Swarm": "[]",
    "Bootstrap": "[]",
}


def find() -> str:
    """The kubo that `DTLEDGER_IPFS` names, the one that scripts/kubo built, or the PATH's.

    Raises:
        NotMeasuredError: there is none.
    """
    found = os.environ.get("DTLEDGER_IPFS") or (str(_BUILT) if _BUILT.exists() else shutil.which("ipfs"))
    if found is None:
        raise NotMeasuredError("no kubo: scripts/kubo builds one, or DTLEDGER_IPFS names one")
    return found


@dataclass(frozen=True)
class Kubo:
    """A running kubo: the address of its RPC, and the folder of its repository."""

    address: str
    repository: Path


@contextmanager
def daemon() -> Iterator[Kubo]:
    """A kubo that runs until the end of the block.

    Raises:
        NotMeasuredError: there is no kubo, or it does not start.
    """
    binary = find()
    with tempfile.TemporaryDirectory(prefix="dtledger-kubo-") as folder:
        environment = {**os.environ, "IPFS_PATH": folder}
        for command in (
            ["init", "--profile=server,test"],
            *(["config", "--json", *each] for each in _SETTINGS.items()),
        ):
            done = subprocess.run([binary, *command], env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise NotMeasuredError(f"kubo cannot be set up: {done.stderr.strip()}")
        log = Path(folder, "daemon.log")
        with log.open("wb") as output:
            process = subprocess.Popen([binary, "daemon", "--offline"], env=environment, stdout=output, stderr=output)
        try:
            _wait_until_ready(process, log)
            yield Kubo(Path(folder, "api").read_text().strip(), Path(folder))
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while "Daemon is ready" not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise NotMeasuredError(f"kubo did not start: {last[0]}")
        time.sleep(0.05)

"""Flower's real processes on loopback: a SuperLink, a SuperNode for each site, and runs of an app in them.

Each message starts a process, so a round takes seconds whatever it trains. Nothing is fetched, nothing is told to
anybody, and everything is in one folder.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 300.0
STOPPING_SECONDS = 20.0

_APP = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "rounds"
version = "1.0.0"
description = "The rounds of a test"
license = "Apache-2.0"
dependencies = []

[tool.flwr.app]
publisher = "dtledger"

[tool.flwr.app.components]
serverapp = "rounds.app:server"
clientapp = "rounds.app:client"

[tool.flwr.app.config]
"""

Settings = Mapping[str, str | int]


class FlowerProcesses:
    """A context manager. `folder` is empty; `sites` is how many SuperNodes there are; node n has `partition-id` n."""

    def __init__(self, folder: Path, sites: int) -> None:
        self._folder = folder
        self._sites = sites
        self._stack = ExitStack()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._env = {
            **os.environ,
            "FLWR_HOME": str(folder / "flwr"),
            "FLWR_TELEMETRY_ENABLED": "0",
            "FLWR_DISABLE_UPDATE_CHECK": "1",
            "FLWR_SUPEREXEC_TASK_POLL_INTERVAL": "0.1",
            "PYTHONPATH": str(ROOT),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def __enter__(self) -> Self:
        link = f"127.0.0.1:{_free_port()}"
        flwr = self._folder / "flwr"
        flwr.mkdir(parents=True)
        (flwr / "config.toml").write_text(
            f'[superlink]\ndefault = "local"\n\n[superlink.local]\naddress = "{link}"\ninsecure = true\n'
        )
        host, port = link.split(":")
        try:
            self._start(
                "flower-superlink", "--insecure", "--host", host, "--port", port,
                "--disable-runtime-dependency-installation",
            )  # fmt: skip
            _wait_for(port)
            for site in range(self._sites):
                config = f"partition-id={site} num-partitions={self._sites}"
                self._start(
                    "flower-supernode", "--insecure", "--superlink", link, "--port", str(_free_port()),
                    "--node-config", config,
                )  # fmt: skip
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def run(self, module: str, settings: Settings) -> float:
        """Run `server` and `client` of a module to the end; the seconds that it took.

        Raises:
            RuntimeError: the run did not end as it should; the message has what Flower said.
        """
        app = self._folder / "app"
        (app / "rounds").mkdir(parents=True, exist_ok=True)
        lines = [
            f'{name} = "{each}"' if isinstance(each, str) else f"{name} = {each}" for name, each in settings.items()
        ]
        (app / "pyproject.toml").write_text(_APP + "\n".join(lines) + "\n")
        (app / "rounds" / "__init__.py").write_text("")
        (app / "rounds" / "app.py").write_text(
            f"import {module} as apps\n\nclient = apps.client\nserver = apps.server\n"
        )
        begun = time.monotonic()
        command = ["flwr", "run", str(app), "local", "--stream"]
        ran = subprocess.run(command, env=self._env, capture_output=True, timeout=PATIENCE_SECONDS, check=False)
        said = (ran.stdout + ran.stderr).decode(errors="replace")
        if ran.returncode or re.search(r"Traceback|finished:failed|\bERROR\b", said):
            raise RuntimeError(f"flwr run: {said[-4000:]}\n{self._logs()}")
        return time.monotonic() - begun

    def _start(self, *command: str) -> None:
        log = self._stack.enter_context((self._folder / f"{len(self._processes)}.log").open("wb"))
        process = subprocess.Popen(command, env=self._env, stdout=log, stderr=log, start_new_session=True)
        self._processes.append(process)

    def _logs(self) -> str:
        return "\n".join(each.read_text(errors="replace")[-1500:] for each in sorted(self._folder.glob("*.log")))

    def _stop(self) -> None:
        """SuperNodes first, then the SuperLink; each is a group of processes of its own."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOPPING_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what it started and did not end
        self._stack.close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(port: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", int(port))) == 0:
                return
        if time.monotonic() > deadline:
            raise RuntimeError("the SuperLink does not answer")
        time.sleep(0.1)

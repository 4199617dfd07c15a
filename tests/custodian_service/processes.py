"""The scene's custodians as processes: each with its own folder, configuration and log of what it said."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from dtledger._cli import main
from tests.crash.scene import Scene

NAMES = ("custodian-1", "custodian-2", "custodian-3")


class Process:
    """One custodian as an operator runs it. It has the key and the key pairs of an embedded one of the scene."""

    def __init__(self, scene: Scene, name: str, folder: Path) -> None:
        self.folder = folder
        embedded = scene.home.custodians
        data = folder / "data"
        (data / "keys").mkdir(mode=0o700, parents=True)
        data.chmod(0o700)
        shutil.copy2(embedded / "keys" / f"{name}.json", data / "keys" / "custodian.json")
        shutil.copytree(embedded / name / "twins", data / "twin-keys")
        shutil.copy2(embedded / "password", folder / "password")
        (deployment,) = scene.home.deployments.glob("*.json")
        self.config = folder / "custodian.toml"
        self.write(rpc_url=scene.devnet.anvil.url, deployment=str(deployment))
        self.log = folder / "log"
        self.url = ""
        self.process: subprocess.Popen[str] | None = None
        self.command("init")

    def write(self, **values: Any) -> None:
        """The configuration: these values, any port."""
        every = {"bind": "127.0.0.1:0", "data": "data", "password_file": "password", **values}
        self.values = every
        self.config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in every.items()))

    def command(self, verb: str, *words: str) -> Result:
        """Run a command of this custodian's operator here."""
        return CliRunner().invoke(main, ["custodian", verb, "--config", str(self.config), "--json", *words])

    def start(self) -> str:
        command = [sys.executable, "-m", "dtledger", "custodian", "serve", "--config", str(self.config), "--json"]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=_environment())
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said, self.log.read_text()
        self.url = json.loads(said)["url"]
        self.write(**{**self.values, "bind": self.url.removeprefix("http://")})  # and there again after a stop
        return self.url

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def end(self) -> None:
        """Whatever came of it."""
        if self.process is not None:
            self.stop(signal.SIGKILL)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code


@contextmanager
def custodians(scene: Scene, folder: Path) -> Iterator[list[Process]]:
    """Three custodians that serve, in the order of their names."""
    with ExitStack() as stack:
        processes = []
        for name in NAMES:
            (folder / name).mkdir()
            process = Process(scene, name, folder / name)
            stack.callback(process.end)
            process.start()
            processes.append(process)
        yield processes


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("DTLEDGER_", "ETH_"))}

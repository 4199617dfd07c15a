"""Services as processes of this machine, for demonstrations, measurements and tests: one folder each.

A custodian's folder (a gateway's has its configuration, the file of its senders, and its process):

    custodian.toml      its configuration, as an operator would write it
    password            of its key, drawn here
    deployment.json     the contracts
    data/               what `dtledger.service.custodian.state` lists
    process/            the process's number, its lock and its log

Warning: whoever has the folders has all of them. A hospital runs its custodians on machines of their own.
"""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import requests

from .._backend.detached import Detached
from .._backend.files import write_atomically
from ..errors import UnreachableError
from ..keys import UnlockedKey
from .custodian.settings import load_settings
from .custodian.state import create_key

__all__ = ["LocalCustodian", "LocalGateway", "free_port"]

_HOST = "127.0.0.1"
_PAUSE = 0.05


class _LocalService:
    """One service in one folder, running or not; `name` is the word of the command that serves it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.config = folder / f"{name}.toml"
        self._name = name
        self._process = Detached(folder / "process")

    @property
    def log(self) -> Path:
        return self._process.log

    @property
    def pid(self) -> int | None:
        """The number of its process; None if none runs."""
        return self._process.pid

    @property
    def url(self) -> str:
        raise NotImplementedError

    def wait(self, timeout: float = 120.0) -> None:
        """Return when it answers.

        Raises:
            UnreachableError: it does not, or has ended; its log says why.
        """
        deadline = time.monotonic() + timeout
        while not self._answers():
            if not self._process.is_held() or time.monotonic() > deadline:
                raise UnreachableError(f"The {self._name} in {self.folder} does not start.", hint=f"See {self.log}.")
            time.sleep(_PAUSE)

    def stop(self, timeout: float = 60.0) -> bool:
        """Ask it to end, and wait; whether it has."""
        return self._process.terminate(timeout=timeout)

    def _launch(self, *words: str | Path) -> None:
        command = [sys.executable, "-m", "dtledger", self._name, "serve", "--config", self.config, *words]
        self._process.launch(lambda: command)

    def _answers(self) -> bool:
        with requests.Session() as session:
            session.trust_env = False
            try:
                return session.get(f"{self.url}/healthz", timeout=5).ok
            except requests.RequestException:
                return False


class LocalCustodian(_LocalService):
    """The custodian of one folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "custodian")

    @property
    def url(self) -> str:
        return load_settings(self.config, env={}).own_url

    def prepare(self, rpc_url: str, **settings: str | int) -> UnlockedKey:
        """Write its configuration, with a port of its own, and make its key; what is there is left as it is."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        password = self.folder / "password"
        if not password.exists():
            write_atomically(password, secrets.token_hex(32).encode() + b"\n")
        if not self.config.exists():
            named = {
                "bind": f"{_HOST}:{free_port()}",
                "rpc_url": rpc_url,
                "deployment": "deployment.json",
                "data": "data",
                "password_file": "password",
            }
            _write(self.config, {**named, **settings})
        return create_key(load_settings(self.config, env={}))

    def start(self, deployment: Path) -> None:
        """Start it, unless it runs. `deployment` is the file of the contracts."""
        shutil.copyfile(deployment, self.folder / "deployment.json")
        self._launch()


class LocalGateway(_LocalService):
    """The gateway of one folder, which works with a key and a profile of a home."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "gateway")

    @property
    def url(self) -> str:
        return f"http://{tomllib.loads(self.config.read_text())['bind']}"

    def prepare(self, senders: Sequence[str], **settings: int) -> None:
        """Write its configuration, with a port of its own, and the file of its senders: lines as `gateway token` gives
        them."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self.folder / "senders", "\n".join([*senders, ""]).encode())
        if not self.config.exists():
            named = {"bind": f"{_HOST}:{free_port()}", "state": "state", "senders": "senders"}
            _write(self.config, {**named, **settings})

    def start(self, home: Path, profile: str, key: str) -> None:
        """Start it, unless it runs."""
        self._launch("--home", home, "--profile", profile, "--key", key)


def _write(config: Path, settings: Mapping[str, str | int]) -> None:
    lines = (f"{name} = {json.dumps(value)}" for name, value in settings.items())
    write_atomically(config, "\n".join([*lines, ""]).encode())


def free_port() -> int:
    """A port of this machine's that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port

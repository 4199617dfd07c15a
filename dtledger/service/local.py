"""Custodians as processes of this machine, for demonstrations, measurements and tests: one folder each.

    custodian.toml      its configuration, as an operator would write it
    password            of its key, drawn here
    deployment.json     the contracts
    data/               what `dtledger.service.custodian.state` lists
    process/            the process's number, its lock and its log

Warning: whoever has the folders has all of them. A hospital runs its custodians on machines of their own.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import requests

from .._backend.detached import Detached
from .._backend.files import write_atomically
from ..errors import UnreachableError
from ..keys import UnlockedKey
from .custodian.settings import load_settings
from .custodian.state import create_key

__all__ = ["LocalCustodian", "free_port"]

_HOST = "127.0.0.1"
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class LocalCustodian:
    """The custodian of one folder, running or not."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "custodian.toml"

    @property
    def url(self) -> str:
        return load_settings(self.config, env={}).own_url

    @property
    def log(self) -> Path:
        return self._process.log

    def prepare(self, rpc_url: str, **settings: int) -> UnlockedKey:
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
            lines = [f'{name} = "{value}"' for name, value in named.items()]
            lines += [f"{name} = {value}" for name, value in settings.items()]
            write_atomically(self.config, "\n".join([*lines, ""]).encode())
        return create_key(load_settings(self.config, env={}))

    def start(self, deployment: Path) -> LocalCustodian:
        """Start it, unless it runs. `deployment` is the file of the contracts."""
        shutil.copyfile(deployment, self.folder / "deployment.json")
        self._process.launch(lambda: [sys.executable, "-m", "dtledger", "custodian", "serve", "--config", self.config])
        return self

    def wait(self, timeout: float = 120.0) -> LocalCustodian:
        """Return when it answers.

        Raises:
            UnreachableError: it does not, or has ended; its log says why.
        """
        deadline = time.monotonic() + timeout
        while not self._answers():
            if not self._process.is_held() or time.monotonic() > deadline:
                raise UnreachableError(f"The custodian in {self.folder} does not start.", hint=f"See {self.log}.")
            time.sleep(_PAUSE)
        return self

    def stop(self, timeout: float = 60.0) -> bool:
        """Ask it to end, and wait; whether it has."""
        return self._process.terminate(timeout=timeout)

    @property
    def _process(self) -> Detached:
        return Detached(self.folder / "process")

    def _answers(self) -> bool:
        with requests.Session() as session:
            session.trust_env = False
            try:
                return session.get(f"{self.url}/healthz", timeout=5).ok
            except requests.RequestException:
                return False


def free_port() -> int:
    """A port of this machine's that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port

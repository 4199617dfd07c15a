"""A kubo on this machine, in a folder of its own: for demonstrations, measurements and tests.

Its administrator's interface is on loopback. It belongs to a private network of its own (`swarm.key`): nobody
without the key can be its peer, it knows no other peers, announces nothing, and sends no telemetry.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import UnreachableError
from .detached import Detached
from .files import write_atomically

__all__ = ["LocalKubo", "find_kubo"]

_BUILT = Path(__file__).parents[2] / ".work/kubo/ipfs"
_SETTINGS = {
    "Addresses.API": '"/ip4/127.0.0.1/tcp/0"',  # the system chooses a port, and kubo writes it into the file `api`
    "Addresses.Gateway": "[]",
    "Addresses.Swarm": '["/ip4/127.0.0.1/tcp/0"]',
    "AutoConf.Enabled": "false",
    "AutoTLS.Enabled": "false",
    "Bootstrap": "[]",
    "Routing.Type": '"none"',
    "Swarm.Transports.Network.QUIC": "false",  # no private network runs over it, nor over WebSockets
    "Swarm.Transports.Network.Websocket": "false",
    "Plugins.Plugins.telemetry.Config.Mode": '"off"',
}
_PATIENCE = 60.0
_PAUSE = 0.05


def find_kubo() -> str | None:
    """The kubo that `DTLEDGER_IPFS` names, the one that scripts/kubo built in a checkout, or the PATH's."""
    return os.environ.get("DTLEDGER_IPFS") or (str(_BUILT) if _BUILT.exists() else shutil.which("ipfs"))


@dataclass(frozen=True, slots=True)
class LocalKubo:
    """The kubo of one folder, running or not. `binary` is its program; an `offline` one has no peers, and says at
    once that it lacks a block."""

    folder: Path
    binary: str
    offline: bool = False

    @property
    def repository(self) -> Path:
        return self.folder / "repository"

    @property
    def address(self) -> str:
        """The multiaddr of its administrator's interface, as it was last served."""
        return (self.repository / "api").read_text().strip()

    def start(self) -> LocalKubo:
        """Set it up, start it, or find it running, and wait until it answers.

        Raises:
            UnreachableError: it cannot be set up, or does not start.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.folder / "made").exists():
            self._make()
        deadline = time.monotonic() + _PATIENCE
        words = ["daemon", *(["--offline"] if self.offline else [])]
        launched = self._process.launch(lambda: ["env", *self._environment(), self.binary, *words])
        while launched and "Daemon is ready" not in self._process.log.read_text(errors="replace"):
            if not self._process.is_held() or time.monotonic() > deadline:
                last = self._process.log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
                raise UnreachableError(f"kubo did not start: {last[0]}")
            time.sleep(_PAUSE)
        return self

    def stop(self, timeout: float = 30.0) -> bool:
        """Ask it to end, and wait; whether it has."""
        return self._process.terminate(timeout=timeout)

    @property
    def _process(self) -> Detached:
        return Detached(self.folder / "process")

    def _make(self) -> None:
        shutil.rmtree(self.repository, ignore_errors=True)  # what a set-up that was cut short left
        self._run("init", "--profile=server,test")
        for name, value in _SETTINGS.items():
            self._run("config", "--json", name, value)
        key = f"/key/swarm/psk/1.0.0/\n/base16/\n{secrets.token_hex(32)}\n"
        write_atomically(self.repository / "swarm.key", key.encode())
        (self.folder / "made").touch()

    def _run(self, *words: str) -> None:
        environment = {**os.environ, **dict(each.split("=", 1) for each in self._environment())}
        try:
            done = subprocess.run([self.binary, *words], env=environment, capture_output=True, text=True, check=False)
        except OSError as error:
            raise UnreachableError(
                f"There is no kubo to run at {self.binary}: {error.strerror}.",
                hint="DTLEDGER_IPFS names its program; scripts/kubo builds one.",
            ) from error
        if done.returncode:
            raise UnreachableError(f"kubo cannot be set up: {done.stderr.strip()}")

    def _environment(self) -> list[str]:
        return [f"IPFS_PATH={self.repository}", "LIBP2P_FORCE_PNET=1", "IPFS_TELEMETRY=off"]

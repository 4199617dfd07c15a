"""Three kubos that are one private network: whoever lacks a block is given it by one that has it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dtledger._backend.files import write_atomically
from dtledger._backend.kubo_node import LocalKubo
from dtledger.service.local import free_port


@dataclass(frozen=True)
class SwarmKubo(LocalKubo):
    """A kubo of a private network; `network` is the folder that all of it share."""

    network: Path = Path()

    @property
    def peer(self) -> dict[str, object]:
        """How others find it."""
        settings = json.loads((self.repository / "config").read_text())
        return {"ID": settings["Identity"]["PeerID"], "Addrs": settings["Addresses"]["Swarm"]}

    def make(self) -> None:
        """Set it up, unless it is."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.folder / "made").exists():
            self._make()

    def join(self, others: Sequence[SwarmKubo]) -> None:
        """Stay connected to these, from the next start on."""
        self._run("config", "--json", "Peering.Peers", json.dumps([each.peer for each in others]))

    def _make(self) -> None:
        super()._make()
        (self.folder / "made").unlink()
        for name, value in {
            # ports of its own, so that it is found again where it was
            "Addresses.API": f"/ip4/127.0.0.1/tcp/{free_port()}",
            "Addresses.Swarm": [f"/ip4/127.0.0.1/tcp/{free_port()}"],
            # the profile `server` speaks to no loopback address, where all of these are
            "Addresses.NoAnnounce": [],
            "Swarm.AddrFilters": [],
        }.items():
            self._run("config", "--json", name, json.dumps(value))
        write_atomically(self.repository / "swarm.key", _swarm_key(self.network))
        (self.folder / "made").touch()


def start(kubos: Sequence[SwarmKubo]) -> None:
    """Start all of a network.

    Raises:
        UnreachableError: one cannot be set up, or does not start.
    """
    for each in kubos:
        each.make()
    for each in kubos:
        each.join([other for other in kubos if other != each])
    for each in kubos:
        each.start()


def _swarm_key(network: Path) -> bytes:
    """The network's, drawn once."""
    file = network / "swarm.key"
    if not file.exists():
        write_atomically(file, f"/key/swarm/psk/1.0.0/\n/base16/\n{secrets.token_hex(32)}\n".encode())
    return file.read_bytes()

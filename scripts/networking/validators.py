"""Five avalanchego validators on loopback: the C-Chain of Avalanche's local network, which is a Cancun EVM.

A block is final when a node has it. Four of five must live for a block to be made; each node serves JSON-RPC of its
own.

Warning:
    The validators' keys are those of every local network, and the account that pays is the well-known test account of
    Avalanche: nothing here is of worth, and nothing listens beyond this machine.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from dtledger._backend.files import write_atomically
from dtledger.errors import InputError, UnreachableError
from dtledger.service.local import free_port

from .processes import process_of, state, stop, wait_until

__all__ = ["CHAIN_ID", "COUNT", "Validator", "Validators", "find_binary"]

CHAIN_ID = 43112
COUNT = 5
_HOST = "127.0.0.1"
_BUILT = Path(__file__).parents[2] / ".work/avalanchego/avalanchego"
_PATIENCE = 180.0
_NODES = (
    "NodeID-7Xhw2mDxuDS44j42TCB6U5579esbSt3Lg",
    "NodeID-MFrZFVCXPv5iCn6M9K6XduxGTYp891xXZ",
    "NodeID-NFBbbJ4qCmNaCzeW7sxErhvWqvEQMnYcN",
    "NodeID-GWPcbFJZFfZreETSoWjPimr846mXEKCtu",
    "NodeID-P7oB2McjBGgW2NXXWVYjV8JEDFoW9xDE5",
)
"""Who the five are, by their certificates."""


def find_binary() -> Path:
    """The avalanchego that scripts/avalanchego built.

    Raises:
        InputError: there is none.
    """
    if not _BUILT.exists():
        raise InputError("There is no avalanchego.", hint="scripts/avalanchego builds it, where Go and gcc are.")
    return _BUILT


@dataclass(frozen=True)
class Validator:
    """The validator of one folder, running or not; `number` is from 1 to 5."""

    folder: Path
    number: int

    @property
    def node_id(self) -> str:
        return _NODES[self.number - 1]

    @property
    def rpc_url(self) -> str:
        """Where it serves the chain, or will."""
        return f"{self._base}/ext/bc/C/rpc"

    @property
    def staking(self) -> str:
        """Where other validators find it."""
        return f"{_HOST}:{self._ports['staking']}"

    def answers(self) -> bool:
        """Whether it serves the chain now: it has joined the others."""
        return self.height() is not None

    def height(self) -> int | None:
        """The number of its newest block; None if it does not answer."""
        try:
            return int(self.rpc("eth_blockNumber"), 16)
        except (requests.RequestException, ValueError, LookupError, TypeError):
            return None

    def rpc(self, method: str, *params: object, timeout: float = 3.0) -> Any:
        """The result of one JSON-RPC call. Raises what `requests` raises."""
        return self._post("/ext/bc/C/rpc", method, list(params), timeout)["result"]

    def peers(self) -> int:
        """How many other validators it is connected to; 0 if it does not answer."""
        try:
            return int(self._post("/ext/info", "info.peers", {}, 3.0)["result"]["numPeers"])
        except (requests.RequestException, ValueError, LookupError, TypeError):
            return 0

    def launch(self, known: Sequence[Validator]) -> None:
        """Start it, unless it runs, with `known` to join; it does not answer at once. The first of a network knows
        nobody."""
        binary = find_binary()
        keys = binary.parent / "staking"
        words = {
            "network-id": "local",
            "data-dir": self.folder / "data",
            "chain-config-dir": self._chain_config(),
            "http-host": _HOST,
            "http-port": self._ports["http"],
            "staking-host": _HOST,
            "staking-port": self._ports["staking"],
            "public-ip": _HOST,
            "staking-tls-cert-file": keys / f"staker{self.number}.crt",
            "staking-tls-key-file": keys / f"staker{self.number}.key",
            "staking-signer-key-file": keys / f"signer{self.number}.key",
            "bootstrap-ips": ",".join(each.staking for each in known),
            "bootstrap-ids": ",".join(each.node_id for each in known),
            "fd-limit": 16_384,
            "log-level": "warn",
            "log-display-level": "off",
        }
        process_of(self.folder).launch(lambda: [binary, *(f"--{name}={value}" for name, value in words.items())])

    def wait(self, timeout: float = _PATIENCE) -> None:
        """Return when it answers.

        Raises:
            UnreachableError: it does not, or has ended.
        """
        process = process_of(self.folder)
        wait_until(lambda: self.answers() or not process.is_held(), timeout, *self._silent())
        if not process.is_held():
            message, hint = self._silent()
            raise UnreachableError(message, hint=hint)

    def stop(self) -> bool:
        """Ask it to end, and wait; whether it has."""
        return stop(self.folder)

    @property
    def _base(self) -> str:
        return f"http://{_HOST}:{self._ports['http']}"

    @property
    def _ports(self) -> dict[str, int]:
        """Its ports, chosen once."""
        file = self.folder / "ports.json"
        if not file.exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(file, json.dumps({"http": free_port(), "staking": free_port()}).encode())
        ports: dict[str, int] = json.loads(file.read_text())
        return ports

    def _chain_config(self) -> Path:
        """The folder of what its chains are told: the C-Chain keeps every state, so that old ones can be proved."""
        folder = self.folder / "chains"
        (folder / "C").mkdir(parents=True, exist_ok=True)
        write_atomically(
            folder / "C" / "config.json",
            json.dumps({"pruning-enabled": False, "historical-proof-query-window": 0}).encode(),
        )
        return folder

    def _post(self, path: str, method: str, params: object, timeout: float) -> Any:
        with requests.Session() as session:
            session.trust_env = False
            asked: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            return session.post(self._base + path, json=asked, timeout=timeout).json()

    def _silent(self) -> tuple[str, str]:
        return f"Validator {self.number} does not answer.", f"Its logs are in {self.folder}."


class Validators:
    """The five of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.all = [Validator(folder / f"validator-{number}", number) for number in range(1, COUNT + 1)]

    def __getitem__(self, number: int) -> Validator:
        """By number, from 1."""
        return self.all[number - 1]

    def start(self) -> Validators:
        """Start or resume all that do not run, and wait until each serves the chain and knows the others.

        Raises:
            InputError: there is no avalanchego.
            UnreachableError: one does not start.
        """
        find_binary()
        running = [each for each in self.all if state(each.folder) == "runs"]
        known = self.answering() or running[:1]
        for each in self.all:
            if state(each.folder) == "down":
                each.launch(known)
                known = known or [each]  # the first of all knows nobody, and serves when others have joined it
        for each in self.all:
            each.wait()
        wait_until(
            lambda: all(each.peers() >= COUNT - 1 for each in self.all), _PATIENCE, "The validators do not meet."
        )
        return self

    def answering(self) -> list[Validator]:
        """Those that serve the chain now."""
        return [each for each in self.all if state(each.folder) == "runs" and each.answers()]

    def stop(self) -> None:
        """Stop all; their data stays.

        Raises:
            UnreachableError: one has not ended.
        """
        for each in self.all:
            if not each.stop():
                raise UnreachableError(f"Validator {each.number} has not stopped.", hint="Try again.")

    def clean(self) -> None:
        """Stop all and remove what they have."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

"""Anvil, Foundry's development chain, in a folder of its own: running, or to be resumed where it stood.

- **The same chain.** Chain ids of devnets are all alike, and so are the genesis blocks of two Anvils started in one
  second: a random gas limit makes each genesis hash its own. `start` refuses the state of another chain.
- **One Anvil a folder**, which outlives its starter (`dtledger._backend.detached`): the next `start` finds it running.
- **What is lost.** `stop` loses nothing. After a kill -9 the state is `state_interval` seconds old at most.

Warning:
    Anvil writes its state in place. If it is killed, or the disk fills up, in the middle of that, the state cannot be
    read: `start` says so and names the copy that was kept at the last start. The funded accounts are Anvil's well-known
    ones, and whoever reaches the port may act as any account: a devnet is for development and holds nothing of worth.
"""

from __future__ import annotations

import http.client
import json
import re
import secrets
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ChainMismatchError, DtledgerError, InputError, IntegrityError, UnreachableError
from ..types import Address, Digest
from . import foundry
from .detached import Detached
from .files import write_atomically

HOST = "127.0.0.1"
CHAIN_ID = 31337
_GAS_LIMIT = 30_000_000
_STATES = 128  # as many old states as a full geth keeps; else Anvil writes each, whole, to disk: 150 KB a block
_LISTENING = re.compile(rf"^Listening on {re.escape(HOST)}:(\d+)$", re.MULTILINE)
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Chain:
    """What identifies the chain of a folder, and where it is or was last served."""

    chain_id: int
    genesis: Digest
    port: int


class Anvil:
    """The development chain in `folder`.

    `port` None means: the last one if it is free, else any. Its ten accounts are funded with 10,000 ether each.
    As a context manager it starts on entry and stops, with its state written, on exit.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        chain_id: int = CHAIN_ID,
        state_interval: int = 5,
    ) -> None:
        self.folder = folder.absolute()
        self._port = port
        self._chain_id = chain_id
        self._state_interval = state_interval
        self._process = Detached(self.folder)
        self._record = self.folder / "chain.json"
        self._state = self.folder / "state.json"

    def __repr__(self) -> str:
        return f"Anvil({str(self.folder)!r})"

    def __enter__(self) -> Anvil:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def chain(self) -> Chain | None:
        """The folder's chain, running or not; None before the first start."""
        try:
            record = json.loads(self._record.read_text())
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Chain(record["chainId"], Digest(bytes.fromhex(record["genesis"][2:])), record["port"])

    @property
    def url(self) -> str:
        """Where it is, or was last, served.

        Raises:
            UnreachableError: it was never started.
        """
        return f"http://{HOST}:{self._known().port}"

    @property
    def genesis(self) -> Digest:
        """The hash of its block 0. Raises `UnreachableError` if it was never started."""
        return self._known().genesis

    @property
    def pid(self) -> int | None:
        """The number of its process; None if none runs."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether it lives and answers as the chain that the folder names."""
        chain = self.chain
        return chain is not None and self._served() == chain

    def start(self, *, timeout: float = 30.0) -> Anvil:
        """Starts or resumes it, or finds it running, and waits until it answers.

        Raises:
            InputError: the port is taken, or the folder's chain has another chain id.
            IntegrityError: its state cannot be read.
            ChainMismatchError: its state is of another chain than the folder names.
            UnreachableError: Anvil is not on this machine, or does not answer within `timeout` seconds.
            DtledgerError: the folder cannot be written.
        """
        self._check_chain_id()
        deadline = time.monotonic() + timeout
        launched, served = False, self._served()
        while served is None:
            if launched and not self._process.is_held():
                raise self._died()
            launched = launched or self._launch()
            if time.monotonic() > deadline:
                raise UnreachableError(
                    f"Anvil does not answer after {timeout:g} s.", hint=f"Its log is {self._process.log}."
                )
            time.sleep(_PAUSE)
            served = self._served()
        known = self.chain
        if known is not None and known.genesis != served.genesis:
            self.stop()
            raise ChainMismatchError(
                f"The state in {self.folder} is of another chain than the one that ran there.",
                hint="Put the right state.json back, or take another folder.",
                expected=known.genesis,
                found=served.genesis,
            )
        if known != served:
            self._remember(served)
        if launched:
            self.rpc("anvil_setLoggingEnabled", False)  # else each call adds a line, for as long as it runs
        return self

    def stop(self, *, timeout: float = 30.0) -> None:
        """Ends it, its state written. Does nothing if it does not run.

        Raises:
            UnreachableError: it has not ended within `timeout` seconds. It is not killed: that could tear its state.
        """
        if not self._process.terminate(timeout=timeout):
            raise UnreachableError(
                f"Anvil in {self.folder} has not stopped within {timeout:g} s.",
                hint="It may still be writing its state: wait, and try again.",
            )

    def rpc(self, method: str, *params: object, timeout: float = 10.0) -> Any:
        """The result of one JSON-RPC call, such as ``rpc("evm_increaseTime", 3600)``.

        Raises:
            UnreachableError: it does not answer.
            DtledgerError: it refuses.
        """
        try:
            return _rpc(self._known().port, method, *params, timeout=timeout)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnreachableError(
                f"The devnet at {self.url} does not answer.", hint="Start it: `dtledger devnet up`."
            ) from error

    def fund(self, who: Address, ether: int = 100) -> None:
        """Sets the balance of an account, so that no well-known key needs to pay for anything."""
        self.rpc("anvil_setBalance", who, hex(ether * 10**18))

    def _known(self) -> Chain:
        chain = self.chain
        if chain is None:
            raise UnreachableError(f"There is no devnet in {self.folder}.", hint="Start it: `dtledger devnet up`.")
        return chain

    def _check_chain_id(self) -> None:
        known = self.chain
        if known is not None and known.chain_id != self._chain_id:
            raise InputError(
                f"The devnet in {self.folder} has chain id {known.chain_id}, not {self._chain_id}.",
                hint="Name that chain id, or take another folder.",
            )

    def _served(self) -> Chain | None:
        """The chain that answers now; None if none does (yet)."""
        if not self._process.is_held():
            return None
        try:
            found = _LISTENING.search(self._process.log.read_text(errors="replace"))
            if found is None:
                return None
            port = int(found[1])
            genesis = _rpc(port, "eth_getBlockByNumber", "0x0", False)["hash"]
            chain_id = int(_rpc(port, "eth_chainId"), 16)
        except (OSError, http.client.HTTPException, ValueError):
            return None
        return Chain(chain_id, Digest(bytes.fromhex(genesis[2:])), port)

    def _remember(self, chain: Chain) -> None:
        record = {"chainId": chain.chain_id, "genesis": "0x" + chain.genesis.hex(), "port": chain.port}
        write_atomically(self._record, json.dumps(record).encode() + b"\n")

    def _launch(self) -> bool:
        try:
            return self._process.launch(self._command)
        except OSError as error:
            raise DtledgerError(
                f"Anvil cannot keep its chain in {self.folder}: {error.strerror or error}.",
                hint="Take a folder that can be written and is on a disk with space.",
            ) from error

    def _command(self) -> list[str | Path]:
        """What to run. Called when no Anvil can be running here, so that the folder's files may be changed."""
        command: list[str | Path] = [
            foundry.require("anvil"),
            *("--host", HOST, "--port", str(self._choose_port()), "--no-cors", "--chain-id", str(self._chain_id)),
            *("--hardfork", "cancun", "--accounts", "10", "--prune-history", str(_STATES)),
            *("--state", self._state, "--state-interval", str(self._state_interval)),
        ]
        if self._state.exists():
            self._keep_copy()
            return command
        self._record.unlink(missing_ok=True)  # a new chain begins
        return [*command, "--gas-limit", str(_GAS_LIMIT + secrets.randbelow(1_000_000))]

    def _choose_port(self) -> int:
        """The port to ask for; 0 lets the system choose."""
        if self._port is not None:
            return self._port
        last = self.chain
        return last.port if last is not None and _is_free(last.port) else 0

    def _keep_copy(self) -> None:
        """Keeps the state as it is before this start.

        Raises:
            IntegrityError: it is torn; the copy of the last start is left alone.
        """
        copy = self.folder / "state.previous.json"
        state = self._state.read_bytes()
        try:
            json.loads(state)
        except ValueError as error:
            kept = f"copy {copy.name} over it to go back to the last start, or " if copy.exists() else ""
            raise IntegrityError(
                f"The chain's state {self._state} is torn: Anvil was killed, or the disk was full, as it was written.",
                block=self._state.name,
                hint=f"To go on, {kept}remove the folder to begin a new chain.",
            ) from error
        write_atomically(copy, state)

    def _died(self) -> DtledgerError:
        """Why Anvil ended before it answered."""
        said = self._process.log.read_text(errors="replace")
        if "already in use" in said:
            which = f"Port {self._port}" if self._port else "The port that this devnet had"
            return InputError(f"{which} is taken by another program.", hint="Choose another, or leave it out.")
        last = next((line for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
        return UnreachableError(f"Anvil ended as it started: {last.strip()}", hint=f"Its log is {self._process.log}.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _rpc(port: int, method: str, *params: object, timeout: float = 2.0) -> Any:
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    try:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    if "error" in answer:
        raise DtledgerError(f"Anvil refuses {method}: {answer['error'].get('message', 'it gives no reason')}.")
    return answer["result"]

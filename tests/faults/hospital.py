"""A hospital of processes on a real chain, each of which can be killed, stopped and started again: three custodians and
a gateway, beside Anvil. What was acknowledged is remembered, so that it can be asked for afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from dtledger.client import Client
from dtledger.client.devnet import PROFILE
from dtledger.client.services import Services
from dtledger.custody import AccessReceipt
from dtledger.ledger import Slot
from tests.crash.operations import import_file
from tests.crash.scene import TWIN, Scene, open_client, reading_terms, set_scene
from tests.custodian_service.processes import Process, custodians
from tests.faults.disks import Disk

TOKEN = "a-token-of-the-ward"
PATIENCE = 120.0
MINUTE = 60
BATCH = 5
"""Readings in a post."""


def until(condition: Callable[[], bool], what: str) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what


@contextmanager
def stopped(*pids: int | None) -> Iterator[None]:
    """These processes stand still (SIGSTOP) while inside, and go on afterwards."""
    numbers = [pid for pid in pids if pid is not None]
    assert len(numbers) == len(pids)
    for pid in numbers:
        os.kill(pid, signal.SIGSTOP)
    try:
        for pid in numbers:
            until(lambda pid=pid: _state(pid) == "T", "it does not stand still")  # type: ignore[misc]
        yield
    finally:
        for pid in numbers:
            os.kill(pid, signal.SIGCONT)


def _state(pid: int) -> str:
    """As the kernel says it; elsewhere than on Linux a signal that was sent is taken to have come."""
    file = Path(f"/proc/{pid}/stat")
    return file.read_text().rpartition(")")[2].split()[0] if file.exists() else "T"


@contextmanager
def full(pid: int, disk: Disk) -> Iterator[None]:
    """The disk is full for that process: it lies on it or, where nothing can be mounted, may write to no file."""
    if disk.mounted:
        with disk.full():
            yield
        return
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


class Gateway:
    """`dtledger gateway serve` with the scene's gateway's key; its state lies in `folder`."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self._scene = scene
        self.config, self.log = folder / "gateway.toml", folder / "log"
        folder.mkdir(exist_ok=True)
        (folder / "senders").write_text(f"ward {hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
        self.write("127.0.0.1:0")
        self.url = ""
        self.process: subprocess.Popen[str] | None = None

    def write(self, bind: str) -> None:
        self.config.write_text(f'bind = "{bind}"\nsenders = "senders"\nstate = "state"\nfree_bytes = 0\n')

    def launch(self) -> subprocess.Popen[str]:
        words = ["--home", str(self._scene.home.root), "--profile", PROFILE, "--key", "gateway", "--json"]
        command = [sys.executable, "-m", "dtledger", "gateway", "serve", "--config", str(self.config), *words]
        with self.log.open("a") as log:
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)

    def start(self) -> None:
        self.process = self.launch()
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said, self.log.read_text()
        self.url = json.loads(said)["url"]
        self.write(self.url.removeprefix("http://"))  # and there again after a stop

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.process = None
        return code

    def end(self) -> None:
        """Whatever came of it."""
        if self.process is not None:
            self.stop(signal.SIGKILL)

    def post(self, first: int, timeout: float = PATIENCE) -> requests.Response:
        """Five readings, one a minute."""
        times = [datetime.fromtimestamp(first + MINUTE * each, UTC).isoformat() for each in range(BATCH)]
        rows = [[at, 5 + each / 10] for each, at in enumerate(times)]
        body = {"twin": TWIN, "category": "glucose", "unit": "mmol/L", "readings": rows, "id": f"post-{first}"}
        headers = {"authorization": f"Bearer {TOKEN}"}
        return requests.post(f"{self.url}/v1/readings", json=body, headers=headers, timeout=timeout)

    def status(self) -> dict[str, Any]:
        return dict(requests.get(f"{self.url}/v1/status", timeout=PATIENCE).json())


@dataclass
class Hospital:
    """The scene with readings in it, and its processes."""

    scene: Scene
    gateway: Gateway
    custodians: list[Process] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    """Times of readings that the gateway answered 202 to."""

    def client(self, name: str) -> Client:
        """A client that asks the processes, or embedded custodians where there are none."""
        urls = [each.url for each in self.custodians]
        if not urls:
            return self.scene.client(name)
        return open_client(self.scene.home, name, custodians=lambda here: Services(urls, here._ledger.deployment))

    def grant(self, to: str = "cardiology") -> Slot:
        """They may read all glucose from now on, and nobody else."""
        with self.client("patient") as patient:
            patient.consents.revoke_all(TWIN, patient.consents.writers(TWIN))
            terms = reading_terms(self.scene.home, patient.context.clock())
            return patient.consents.grant(TWIN, self.scene.address(to), terms)[0]

    def next(self) -> int:
        """When the next post's readings begin: in the two hours before this one."""
        begin = int(time.time()) // 3600 * 3600 - 7200
        return begin + len(self.acknowledged) * MINUTE

    def post(self) -> None:
        """A post that is acknowledged."""
        first = self.next()
        answer = self.gateway.post(first)
        assert (answer.status_code, answer.json()) == (202, {"kept": BATCH, "known": 0})
        self.remember(first)

    def remember(self, first: int) -> None:
        self.acknowledged += range(first, first + BATCH * MINUTE, MINUTE)

    def wait_until_anchored(self) -> None:
        until(lambda: self.gateway.status()["unanchored"] == 0, f"it anchors nothing: {self.gateway.log.read_text()}")

    def assert_nothing_lost(self) -> None:
        """All that was acknowledged is anchored and read, each once."""
        self.wait_until_anchored()
        with self.client("patient") as patient:
            times = [int(each.at.timestamp()) for each in patient.read(TWIN, "glucose", "PATRQT")]
        assert len(set(times)) == len(times)
        assert set(times) == {*self.acknowledged, *(each.seconds for each in self.scene.readings)}

    def receipts(self, custodian: Process) -> list[AccessReceipt]:
        """One custodian's receipts of the twin, as its owner hears them."""
        with self.client("patient") as patient:
            services = patient.context.custodians
            assert isinstance(services, Services)
            assert len(services) == len(self.custodians)
            found = patient.twins.access(TWIN)[services._ports[custodian.url].address]
        assert isinstance(found, list | tuple), found
        return list(found)


@contextmanager
def hospital(folder: Path) -> Iterator[Hospital]:
    """It serves; the export's readings are written, and nobody may read them yet."""
    with ExitStack() as stack:
        scene = set_scene(folder)
        stack.callback(scene.devnet.down)
        import_file(scene.home.root)
        gateway = Gateway(scene, folder / "gateway")
        stack.callback(gateway.end)
        (folder / "custodians").mkdir()
        processes = stack.enter_context(custodians(scene, folder / "custodians"))
        gateway.start()
        yield Hospital(scene, gateway, processes)

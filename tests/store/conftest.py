"""The block stores, each with a way to damage a block behind its back, and a kubo that says what it is told."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dtledger._backend.directory_store import DirectoryStore
from dtledger._backend.http_store import HttpStore
from dtledger._backend.kubo_node import LocalKubo
from dtledger._backend.kubo_store import KuboStore
from dtledger.encoding import CID
from dtledger.store import BlockStore
from dtledger.testing.memory_store import MemoryStore
from scripts.benchmarks.figures import NotMeasuredError
from scripts.benchmarks.kubo import daemon, find
from tests.gateway.conftest import Served, serving


@dataclass(frozen=True)
class Subject:
    """A store under test; `damage` flips one bit of a block where the store keeps it."""

    store: BlockStore
    damage: Callable[[CID], None]


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)


def _damage_in_kubo(running: LocalKubo, cid: CID) -> None:
    key = base64.b32encode(bytes(cid)[2:]).decode().rstrip("=")
    _flip(running.repository / "blocks" / key[-3:-1] / f"{key}.data")


@pytest.fixture(scope="session")
def kubo() -> Iterator[LocalKubo]:
    try:
        find()
    except NotMeasuredError as error:
        pytest.skip(str(error))
    with daemon() as running:
        yield running


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("gateway")) as served:
        yield served


@pytest.fixture
def kubo_store(kubo: LocalKubo) -> Iterator[KuboStore]:
    with KuboStore(kubo.address) as store:
        yield store


@pytest.fixture(
    params=[
        "memory",
        "directory",
        pytest.param("gateway", marks=pytest.mark.slow),
        pytest.param("kubo", marks=pytest.mark.kubo),
    ]
)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    match request.param:
        case "memory":
            memory = MemoryStore()
            yield Subject(memory, memory.damage)
        case "directory":
            with DirectoryStore(tmp_path) as directory:
                yield Subject(directory, lambda cid: _flip(tmp_path / "blocks" / str(cid)[-3:-1] / str(cid)))
        case "gateway":
            served: Served = request.getfixturevalue("gateway")
            world = served.world
            with HttpStore(served.url, world.ledger.deployment, world.patient.context.key, world.clock) as through:
                yield Subject(through, world.store.damage)
        case _:
            running = request.getfixturevalue("kubo")
            yield Subject(request.getfixturevalue("kubo_store"), lambda cid: _damage_in_kubo(running, cid))


@pytest.fixture
def store(subject: Subject) -> BlockStore:
    return subject.store


Answer = Callable[[str], bytes | None]
"""What the fake kubo answers to a command's argument; None: it falls silent until it is closed."""


@dataclass
class FakeKubo:
    """An HTTP server on loopback that answers `commands`, whatever the truth, and remembers what it was asked."""

    address: str = ""
    commands: dict[str, Answer] = field(default_factory=lambda: {"version": lambda _: b'{"Version": "0.42.0"}'})
    asked: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)


@pytest.fixture
def fake() -> Iterator[FakeKubo]:
    kubo = FakeKubo()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            url = urlsplit(self.path)
            command = url.path.removeprefix("/api/v0/")
            kubo.asked.append(command)
            kubo.queries.append(url.query)
            self._read_body()
            answer = kubo.commands[command](parse_qs(url.query).get("arg", [""])[0])
            if answer is None:
                self.rfile.read(1)  # until the other side hangs up
                return
            refused = answer.startswith(b'{"Message"')
            self.send_response(500 if refused else 200)
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("Content-Type", "application/json" if answer.startswith(b"{") else "text/plain")
            self.end_headers()
            self.wfile.write(answer)

        def _read_body(self) -> None:
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()
            self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            if not isinstance(sys.exception(), ConnectionError):  # the other side hung up, as it should
                super().handle_error(request, client_address)

    with Server(("127.0.0.1", 0), Handler) as server:
        kubo.address = f"/ip4/127.0.0.1/tcp/{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield kubo
        server.shutdown()
        thread.join()

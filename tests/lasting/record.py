"""A record: what one version wrote, in one file beside this one, `VERSION.tar.xz`, never to be written again once that
version is released. Until then it is made anew where a form changed, and SHA256SUMS with it.

    home/            a devnet's home as that version left it: keys (of nobody), custodians with their receipts,
                     journals, blocks, the chain's state as Anvil wrote it
    ledger.json      the deployment, its logs as the chain has them, and the head: the ledger without a node
    immutables.json  where in each contract's code its immutables stand
    twin.bundle      an audit of the twin by `dtledger audit export`
    said.json        what that version read, saw and found, which every later one must say too

The home's own folder is `@HOME@` in its settings, and long hex in the chain's state lies as bytes beside it, which is
smaller. `python -m tests.lasting.make` makes the present version's.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dtledger._backend.directory_store import DirectoryStore
from dtledger._backend.event_codec import decode_event
from dtledger._backend.runtimes import Runtime
from dtledger.audit import Bundle
from dtledger.client import Client
from dtledger.client.embedded import Embedded
from dtledger.encoding import address
from dtledger.errors import UnreachableError
from dtledger.home import Home
from dtledger.keys import KeyStore
from dtledger.ledger import Call, Deployment, History, Outbox, Receipt, Sender, Tip, View
from dtledger.ledger.events import Logged, Place
from dtledger.policy import Request, check
from dtledger.types import Digest, Head
from dtledger.vocabulary import Reason

FOLDER = Path(__file__).parent
HOME = "@HOME@"
SETTINGS = "config.toml"
STATE, BYTES = "home/devnet/state.json", "state.bytes"
LEFT_OUT = ("ledger-cache", "state.previous.json", "devnet/log", "devnet/lock", "devnet/pid", ".lock", "incoming")


class RecordedLedger:
    """A `Ledger` that ended: its events up to its last block, and nothing to be sent. The contract's own answer is the
    rule's on those events."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.deployment = Deployment(
            told["chainId"],
            Digest(bytes.fromhex(told["genesis"])),
            {name: address(at) for name, at in told["contracts"].items()},
            {name: Digest(bytes.fromhex(code)) for name, code in told["code"].items()},
            told["block"],
        )
        number, hashed, at = told["head"]
        self._head = Head(number, Digest(bytes.fromhex(hashed)), at)
        self._history = History()
        for block, place, when, topics, data in told["logs"]:
            event = decode_event([bytes.fromhex(each) for each in topics], bytes.fromhex(data))
            if event is not None:
                self._history.add(Logged(Place(block, place), when, event))

    def head(self) -> Head:
        return self._head

    def history(self) -> History:
        return self._history

    def view(self, block: int | None = None) -> View:
        return self._history.at(self._head.number if block is None else block)

    def tip(self) -> Tip:
        return Tip(self._head, self.view(), self.view())

    def check(self, request: Request, earliest: int, latest: int) -> Reason:
        return check(self.view(), request, earliest, latest)

    def send(self, call: Call, sender: Sender, outbox: Outbox | None = None) -> Receipt:
        raise UnreachableError("This ledger ended.")

    def heartbeat(self, sender: Sender) -> Receipt:
        raise UnreachableError("This ledger ended.")

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Record:
    """What one version wrote, laid out in `folder`."""

    version: str
    folder: Path

    @classmethod
    def unpacked(cls, file: Path, folder: Path) -> Record:
        """The record of a file, which stays as it is."""
        with tarfile.open(file) as packed:
            packed.extractall(folder, filter="data")
        for path in (folder / "home").rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)  # which unpacking leaves to the mask
        for name in ("lock", "pid"):  # of a process that ended long ago
            (folder / "home" / "devnet" / name).unlink(missing_ok=True)
        settings = folder / "home" / SETTINGS
        settings.write_text(settings.read_text().replace(HOME, str(folder / "home")))
        (folder / STATE).write_text(_with_hex((folder / STATE).read_text(), (folder / BYTES).read_bytes()))
        return cls(file.name.removesuffix(".tar.xz"), folder)

    @property
    def home(self) -> Home:
        return Home(self.folder / "home", "a record")

    @cached_property
    def said(self) -> Any:
        return json.loads((self.folder / "said.json").read_text())

    @cached_property
    def ledger(self) -> RecordedLedger:
        return RecordedLedger(json.loads((self.folder / "ledger.json").read_text()))

    @property
    def bundle(self) -> Bundle:
        return Bundle.decode((self.folder / "twin.bundle").read_bytes())

    @property
    def runtimes(self) -> dict[str, Runtime]:
        """The contracts' code as that version shipped it."""
        codes, contracts = self.bundle.codes, self.bundle.deployment.contracts
        told = json.loads((self.folder / "immutables.json").read_text())
        return {
            name: Runtime(codes[contracts[name]], tuple(tuple(map(tuple, each)) for each in places))
            for name, places in told.items()
        }

    def clock(self) -> int:
        """The time that it was made, in unix seconds."""
        return self.ledger.head().at + 1

    def client(self, name: str) -> Client:
        """The holder of a key of the home's, on the ledger without a node."""
        password = (self.home.keys / "devnet-password").read_text().strip()
        key = KeyStore(self.home).open(name).unlock(password)
        custodians = Embedded(self.home, self.ledger, self.clock, max_head_age=60)
        store = DirectoryStore(self.home.root / "blocks")
        return Client(self.ledger, store, custodians, key, self.clock)


def packed(folder: Path) -> bytes:
    """A record's folder as its file's bytes: the same for the same files."""
    settings = folder / "home" / SETTINGS
    settings.write_text(settings.read_text().replace(str(folder / "home"), HOME))
    state, data = _without_hex((folder / STATE).read_text())
    (folder / STATE).write_text(state)
    (folder / BYTES).write_bytes(data)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:xz", preset=9) as tar:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if not any(each in name for each in LEFT_OUT):
                tar.add(path, name, recursive=False, filter=_plain)
    return made.getvalue()


def _without_hex(text: str) -> tuple[str, bytes]:
    data = bytearray()

    def taken(found: re.Match[str]) -> str:
        start = len(data)
        data.extend(bytes.fromhex(found[1]))
        return f'"@{start}:{len(data)}"'

    return re.sub(r'"0x((?:[0-9a-f]{2}){64,})"', taken, text), bytes(data)


def _with_hex(text: str, data: bytes) -> str:
    return re.sub(r'"@(\d+):(\d+)"', lambda found: f'"0x{data[int(found[1]) : int(found[2])].hex()}"', text)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member

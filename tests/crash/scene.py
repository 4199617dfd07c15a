"""A real chain and a home with everybody on it, which can be put back as they were: the stage of crash and fault tests.

Twin 1 is the patient's, with a card and three custodians, two of whom are needed. The gateway may write glucose to it;
nothing is written yet. `export.csv` in the home holds `READINGS` glucose readings of `HOURS` hours.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dtledger._backend.directory_store import DirectoryStore
from dtledger.client import Client, Terms, writing_terms
from dtledger.client.core import system_clock
from dtledger.client.devnet import OPERATOR, PROFILE, Devnet
from dtledger.client.embedded import Embedded
from dtledger.client.opening import open_ledger, open_store, unlock
from dtledger.config import Settings, set_value
from dtledger.custody import CustodianPort
from dtledger.home import Home
from dtledger.importers import read_file
from dtledger.ledger import Ledger
from dtledger.readings import Reading
from dtledger.types import ZERO_ADDRESS, Address, Period
from dtledger.vocabulary import Action, Kind, Purpose

NAMES = (OPERATOR, "hospital", "cardiology", "gateway", "patient")
DAY = 86_400
HOURS = 3
IN_AN_HOUR = 3
READINGS = HOURS * IN_AN_HOUR
TWIN = 1


@dataclass
class Scene:
    """The home, its chain, and how both were whenever they were kept, newest last."""

    home: Home
    folder: Path
    readings: list[Reading] = field(default_factory=list)
    snapshots: list[str] = field(default_factory=list)

    @property
    def devnet(self) -> Devnet:
        return Devnet(self.home)

    def keep(self) -> None:
        """Let `restore` come back to here."""
        kept = self._kept(len(self.snapshots))
        shutil.rmtree(kept, ignore_errors=True)
        _copy(self.home.root, kept)
        self.snapshots.append(self.devnet.anvil.rpc("evm_snapshot"))

    def restore(self) -> None:
        """Chain and files as they were kept last."""
        for each in self.home.root.iterdir():
            if each.name != "devnet":
                shutil.rmtree(each) if each.is_dir() else each.unlink()
        _copy(self._kept(len(self.snapshots) - 1), self.home.root)
        anvil = self.devnet.anvil
        assert anvil.rpc("evm_revert", self.snapshots[-1])
        anvil.rpc("evm_setTime", int(time.time()))  # else its clock goes back with the blocks
        self.snapshots[-1] = anvil.rpc("evm_snapshot")

    def restore_later(self, seconds: int) -> None:
        """The same, and so many seconds have passed."""
        self.restore()
        self.devnet.anvil.rpc("evm_setTime", int(time.time()) + seconds)
        self.devnet.anvil.rpc("evm_mine")

    def restart(self) -> None:
        """Chain and files as they were kept first."""
        del self.snapshots[1:]
        self.restore()

    def _kept(self, number: int) -> Path:
        return self.folder / f"kept-{number}"

    def client(self, name: str) -> Client:
        return open_client(self.home, name)

    def address(self, name: str) -> Address:
        return self.devnet.key(name).address


def open_client(
    home: Home,
    name: str,
    clock: Callable[[], int] = system_clock,
    *,
    ledger: Ledger | None = None,
    custodians: Callable[[Embedded], Any] = lambda embedded: embedded,
    machine: str = "",
) -> Client:
    """As `dtledger.client.opening.open_client`, with a clock, a node or custodians of the test's own; on another
    `machine` the key has a journal of its own."""
    settings = Settings.load(home, {"profile": PROFILE, "key": name}, env={})
    key = unlock(settings)
    node = ledger or open_ledger(settings)
    embedded = Embedded(home, node, clock, settings.max_head_age)
    ports: dict[Address, CustodianPort] = custodians(embedded)
    journal = home.journal / f"{machine}{node.deployment.id}-{key.address}.db"
    return Client(node, open_store(settings), ports, key, clock, journal_path=journal)


def move_home(home: Home, folder: Path) -> Home:
    """A copy of the home, without its chain, that works in `folder`."""
    _copy(home.root, folder)
    moved = Home(folder, "test")
    set_value(moved, "store", f"directory:{folder / 'blocks'}", profile=PROFILE)
    set_value(moved, "password_file", str(moved.keys / "devnet-password"), profile=PROFILE)
    return moved


def _copy(source: Path, target: Path) -> None:
    """Everything but the chain's own folder."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in source.iterdir():
        if each.name == "devnet":
            continue
        if each.is_dir():
            shutil.copytree(each, target / each.name)
        else:
            shutil.copy2(each, target / each.name)


def export_file(home: Home) -> Path:
    return home.root / "export.csv"


def exported(home: Home) -> list[Reading]:
    """The readings in the home's export."""
    with export_file(home).open("rb") as file:
        return list(read_file(file).readings)


def set_scene(folder: Path) -> Scene:
    """Start a chain in `folder`, put everybody on it, and keep it."""
    scene = Scene(Home(folder / "home", "test"), folder)
    scene.devnet.up(DirectoryStore)
    for name in NAMES:
        scene.devnet.key(name)
    scene.devnet.fund()
    _write_export(scene.home)
    scene.readings = exported(scene.home)
    people = {name: scene.client(name) for name in NAMES}
    try:
        _enrol(people)
        _give_twin(people, scene.readings[0].minute)
    finally:
        for client in people.values():
            client.close()
    scene.keep()
    return scene


def reading_terms(home: Home, now: int) -> Terms:
    """Cardiology may read all glucose of the export, to treat, for a day."""
    data = Period(exported(home)[0].minute, (now + DAY) // 60)
    return Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + DAY, data)


def values(readings: Any) -> list[tuple[float, float]]:
    """(time, value) of readings of either kind, to be compared."""
    return [(each.at.timestamp(), each.value) for each in readings]


def _write_export(home: Home) -> None:
    first = int(time.time()) // 3600 * 3600 - 2 * HOURS * 3600
    times = [first + hour * 3600 + place * 300 for hour in range(HOURS) for place in range(IN_AN_HOUR)]
    stamps = [datetime.fromtimestamp(at, UTC).isoformat() for at in times]
    rows = [f"{stamp},{4 + place / 10}" for place, stamp in enumerate(stamps)]
    export_file(home).write_text("\n".join(["time,glucose (mmol/L)", *rows, ""]))


def _enrol(people: dict[str, Client]) -> None:
    hospital = people["hospital"]
    for name, kinds in (("hospital", []), ("cardiology", [Kind.CLINICIAN]), ("gateway", [Kind.GATEWAY])):
        inside = name != "hospital"
        card = people[name].members.card(name, hospital.address if inside else ZERO_ADDRESS, "hospital" * inside)
        people[OPERATOR].members.enrol(card, kinds, hospital.members.agree(card) if inside else b"")


def _give_twin(people: dict[str, Client], first: int) -> None:
    patient = people["patient"]
    twin, _ = people[OPERATOR].twins.mint(patient.twins.request_mint())
    assert twin == TWIN
    patient.twins.set_up(twin, list(patient.context.custodians), 2)
    terms = writing_terms(["glucose"], patient.context.clock(), DAY, back_to=first)
    patient.consents.grant(twin, people["gateway"].address, terms)

"""A gateway of a world: its queue on a real disk, its pump, and a second twin that it may write to."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from dtledger._backend.postgresql import Server
from dtledger.client import Client, writing_terms
from dtledger.config import Setting
from dtledger.gateway.pump import Pace, Pump
from dtledger.gateway.queue import Limits, Measured, ReadingQueue
from dtledger.gateway.senders import Senders
from dtledger.gateway.service import ENTRIES, Gateway, make_service
from dtledger.readings import Reading
from dtledger.service.server import Running
from dtledger.service.settings import ServiceSettings
from dtledger.testing import World
from dtledger.testing.memory_key import MemoryKey
from tests.gateway.carrying import Bench, empty_account

if TYPE_CHECKING:
    from tests.gateway.living import Living

DAY = 86_400
PACE = Pace(batch_seconds=600, renewal_seconds=3600)


@dataclass
class Site:
    """`twin` is the world's, `other` another patient's; the gateway may write glucose to both."""

    world: World
    queue: ReadingQueue
    pump: Pump
    other_patient: Client
    other: int

    def later(self, count: int = 3, *, after: int = 60) -> list[Reading]:
        """New readings, of this minute and before it."""
        now = self.world.clock.at
        return [Reading(now - after - 60 * each, 5.0 + each / 10, "mmol/L", 0) for each in range(count)]

    def put(self, twin: int, readings: list[Reading]) -> int:
        return self.queue.put([Measured(twin, "glucose", each) for each in readings])

    def values(self, patient: Client, twin: int) -> set[tuple[int, float]]:
        return {(int(each.at.timestamp()), each.value) for each in patient.read(twin, "glucose", "PATRQT")}

    def has(self, patient: Client, twin: int, readings: list[Reading]) -> bool:
        """Whether each of them is read, and once."""
        found = [(int(each.at.timestamp()), each.value) for each in patient.read(twin, "glucose", "PATRQT")]
        return all(found.count((each.seconds, each.value)) == 1 for each in readings)

    def wait_an_hour(self) -> None:
        self.world.clock.advance(3600)


@pytest.fixture
def server() -> Server | None:
    """Where the queue lies, if not in a file (`test_the_same_on_postgresql.py`)."""
    return None


@pytest.fixture
def site(tmp_path: Path, server: Server | None) -> Iterator[Site]:
    with World(hours=2) as world:
        gateway = world.gateway
        patient = world.client(MemoryKey("other patient"))
        twin, _ = world.operator.twins.mint(patient.twins.request_mint())
        patient.twins.set_up(twin, [each.address for each in world.custodians], 2)
        grant = writing_terms(["glucose"], world.clock.at, 30 * DAY, back_to=world.readings[0].minute)
        patient.consents.grant(twin, gateway.address, grant)
        limits = Limits(2**20, 1000)
        key = gateway.context.key
        queue = ReadingQueue(tmp_path / "queue.db", key, world.clock, limits, lambda _: 2**30, server)
        pump = Pump(gateway.context, gateway.writer, queue, PACE, dice=lambda: 1.0)
        yield Site(world, queue, pump, patient, twin)
        queue.close()


@pytest.fixture
def alive(site: Site) -> Living:
    """The site's twins, whose gateway may write forecasts, meals and insulin too."""
    from tests.gateway.living import let_forecast, living

    let_forecast(site)
    return living(site)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A patient without gas, who lives by relays."""
    with empty_account(monkeypatch) as bench:
        yield bench


TOKEN = "a-token-of-the-ward"


def gateway_settings(**values: Any) -> ServiceSettings:
    """Any free port, and `values` over the defaults."""
    settings = ServiceSettings.load("gateway", ENTRIES, None, {})
    given = {"bind": ("127.0.0.1", 0), "free_bytes": 0, **values}
    return replace(
        settings, values={**settings.values, **{name: Setting(each, "test") for name, each in given.items()}}
    )


@dataclass
class Served:
    """A world's gateway behind HTTP; its pump is stepped by the test."""

    world: World
    gateway: Gateway
    url: str
    session: requests.Session
    folder: Path

    def post(self, path: str, data: Any, token: str | None = TOKEN) -> requests.Response:
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return self.session.post(self.url + path, data=body, headers=headers, timeout=30)

    def waiting(self) -> int:
        """How many readings wait to be anchored."""
        return self.gateway.queue.totals().rows

    def readings(self, count: int = 3) -> dict[str, Any]:
        now = self.world.clock.at
        times = [datetime.fromtimestamp(now - 60 * (each + 1), UTC) for each in range(count)]
        rows = [[at.isoformat(), 5.0 + place / 10] for place, at in enumerate(times)]
        return {"twin": self.world.twin, "category": "glucose", "unit": "mmol/L", "readings": rows}


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """A world's gateway behind HTTP, its state in the folder."""
    senders = folder / "senders"
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    narrow = hashlib.sha256(b"narrow").hexdigest()
    senders.write_text(f"# the ward\nward-3 {digest}\npump-17 {narrow} 998,999  # of others\n")
    with World(hours=2) as world, requests.Session() as session:
        session.trust_env = False
        gateway = Gateway(world.gateway, gateway_settings(), folder, Senders.read(senders))
        stop = threading.Event()
        carrying = threading.Thread(target=gateway.relay_pump.run, args=(stop,))
        gateway.start = carrying.start  # type: ignore[method-assign]
        settings = gateway_settings(body_seconds=1, body_bytes=8 * 2**20)
        with Running(make_service(gateway), settings) as running:
            try:
                yield Served(world, gateway, running.url, session, folder)
            finally:  # before what it works on is closed, whatever came of the test
                stop.set()
                gateway.relay_pump.wake()
                carrying.join()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("gateway")) as served:
        yield served

"""One development chain for all tests of the command line, and a home with everybody on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dtledger._backend.directory_store import DirectoryStore
from dtledger._cli import main
from dtledger.client import Client, writing_terms
from dtledger.client.devnet import OPERATOR, PROFILE, Devnet
from dtledger.client.members import card_check
from dtledger.client.opening import open_client, open_ledger
from dtledger.config import Settings
from dtledger.contacts import Contacts
from dtledger.home import Home
from dtledger.readings import Reading
from dtledger.types import ZERO_ADDRESS
from dtledger.vocabulary import Kind
from tests.cli.twins import Twin, new_twin

from .models import Study, new_study

NAMES = (OPERATOR, "hospital", "cardiology", "gateway", "patient")
DAY = 86_400


@dataclass(frozen=True)
class DevnetHome:
    """A home whose devnet runs: twin 1 is the patient's, with a day of glucose by the gateway."""

    home: Home
    twin: int
    readings: tuple[Reading, ...]

    def client(self, key: str) -> Client:
        return open_client(PROFILE, key, home=self.home)


def readings_until(end: int, hours: int) -> tuple[Reading, ...]:
    """One reading every five minutes up to `end`, each with a value of its own."""
    start = end - hours * 3600
    return tuple(Reading(at, 4.0 + place % 97 / 10, "mmol/L", 60) for place, at in enumerate(range(start, end, 300)))


@pytest.fixture(scope="session")
def devnet_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevnetHome]:
    home = Home(tmp_path_factory.mktemp("cli") / "home", "test")
    devnet = Devnet(home)
    devnet.up(DirectoryStore)
    try:
        for name in NAMES:
            devnet.key(name)
        devnet.fund()
        yield _populate(home)
    finally:
        devnet.down()


def _populate(home: Home) -> DevnetHome:
    people = {name: open_client(PROFILE, name, home=home) for name in NAMES}
    settings = Settings.load(home, {"profile": PROFILE}, env={})
    with open_ledger(settings) as ledger:
        contacts = Contacts(home, card_check(ledger.deployment))
    hospital = people["hospital"]
    now = int(time.time())
    for name, kinds in (("hospital", []), ("cardiology", [Kind.CLINICIAN]), ("gateway", [Kind.GATEWAY])):
        organisation = ZERO_ADDRESS if name == "hospital" else hospital.address
        card = people[name].members.card(name, organisation, "" if name == "hospital" else "hospital")
        agreement = b"" if name == "hospital" else hospital.members.agree(card)
        people[OPERATOR].members.enrol(card, kinds, agreement)
        contacts.add(name, card, at=now)
    patient = people["patient"]
    twin, _ = people[OPERATOR].twins.mint(patient.twins.request_mint())
    patient.twins.set_up(twin, list(patient.context.custodians), 2)
    readings = readings_until(now // 300 * 300, 24)
    terms = writing_terms(["glucose", "meals"], now, 30 * DAY, back_to=readings[0].minute - 30 * 1440)
    patient.consents.grant(twin, people["gateway"].address, terms)
    people["gateway"].writer.put(twin, "glucose", readings)
    for client in people.values():
        client.close()
    return DevnetHome(home, twin, readings)


@pytest.fixture(scope="session")
def study(devnet_home: DevnetHome) -> Study:
    return new_study(devnet_home)


@pytest.fixture
def dtledger(devnet_home: DevnetHome, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command in the devnet's home: ``dtledger("twin", "list", "--key", "patient")``."""
    monkeypatch.setenv("DTLEDGER_HOME", str(devnet_home.home.root))
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("DTLEDGER_PROFILE", "DTLEDGER_KEY", "ETH_RPC_URL", "ETH_KEYSTORE", "ETH_PASSWORD"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str | Path, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, [str(word) for word in words], input=stdin, catch_exceptions=False)

    return run


@pytest.fixture
def twin(devnet_home: DevnetHome) -> Twin:
    """A twin of the test's own, with an hour of glucose that the gateway wrote."""
    return new_twin(devnet_home, hours=1)

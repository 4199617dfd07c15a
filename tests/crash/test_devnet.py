"""A devnet whose start dies again and again, each time a little later, comes up whole: keys, custodians, contracts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from dtledger._backend.directory_store import DirectoryStore
from dtledger.client.devnet import CUSTODIANS, OPERATOR, Devnet
from dtledger.client.embedded import custodian_keys, unlock_custodian
from dtledger.home import Home
from dtledger.keys import KeyStore
from dtledger.readings import Reading
from tests.crash.deaths import Death, run_killed
from tests.crash.operations import devnet_up, give_second_twin
from tests.crash.scene import open_client, values

pytestmark = pytest.mark.anvil


@pytest.fixture
def devnet(tmp_path: Path) -> Iterator[Devnet]:
    devnet = Devnet(Home(tmp_path / "home", "test"))
    devnet.anvil.start()
    yield devnet
    devnet.down()


def assert_every_key_opens(devnet: Devnet) -> None:
    for name in custodian_keys(devnet.home).names():
        unlock_custodian(devnet.home, name)
    for name in KeyStore(devnet.home).names():
        KeyStore(devnet.home).open(name).unlock(devnet.password_file.read_text().strip())


def test_it_comes_up_and_works(devnet: Devnet) -> None:
    home = devnet.home.root
    for at in count(1, 4):
        if run_killed(devnet_up, home, Death(at, power_cut=False)) is not None:
            break
        assert_every_key_opens(devnet)
    assert at > 20
    assert custodian_keys(devnet.home).names() == CUSTODIANS
    assert KeyStore(devnet.home).names() == (OPERATOR,)
    assert len(list(devnet.home.deployments.glob("*.json"))) == 1
    again = devnet.up(DirectoryStore, done=lambda step, gas: pytest.fail(f"{step.name} was done twice"))
    assert set(again.contracts) == set(again.code)

    devnet.key("newcomer")
    devnet.fund()
    give_second_twin(home)
    with open_client(devnet.home, "newcomer") as newcomer:
        (twin,) = newcomer.context.view().twins_of(newcomer.address)
        reading = Reading(newcomer.context.clock() - 600, 5.5, "mmol/L", 0, "")
        newcomer.writer.put(twin, "glucose", [reading])
        assert values(newcomer.read(twin, "glucose", "PATRQT")) == values([reading])

"""One Anvil for all ledger tests, with the contracts deployed as `dtledger deploy` does; each test gives it back as it
was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode

from dtledger._backend import migrations
from dtledger._backend.anvil import Anvil
from dtledger._backend.evm import EvmLedger
from dtledger._backend.postgresql import Server
from dtledger.encoding import keccak
from dtledger.ledger import Deployment
from dtledger.testing import Clock
from tests.ledger.bench import GOVERNANCE_DELAY, PEOPLE, RETIRE_DELAY, Bench, governance, memory_bench, who


@dataclass(frozen=True)
class Chain:
    """A running Anvil with a finished deployment on it."""

    anvil: Anvil
    deployment: Deployment
    folder: Path

    def bench(self, cache: Path | Server | None = None) -> Bench:
        ledger = EvmLedger(self.anvil.url, self.deployment, cache)
        return Bench(ledger, Clock(ledger.head().at), self._arrange, self._poke)

    def _arrange(self, at: int) -> None:
        self.anvil.rpc("evm_setNextBlockTimestamp", at)

    def _poke(self, what: str, keys: tuple[Any, ...], value: int) -> None:
        """The places that solc gives ConsentStore's mappings: `_epochs` 1, `_blockCounts` 2 (`forge inspect`)."""
        place = {"epoch": 1, "blocks": 2}[what].to_bytes(32)
        for key in keys:
            place = keccak(abi_encode(["address" if isinstance(key, str) else "uint256"], [key]) + place)
        self.anvil.rpc(
            "anvil_setStorageAt",
            self.deployment.contracts["ConsentRegistry"],
            "0x" + place.hex(),
            "0x" + value.to_bytes(32).hex(),
        )


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("ledger")
    with Anvil(folder / "anvil", state_interval=3600) as anvil:
        for name in PEOPLE:
            anvil.fund(who(name).address, 1000)
        plan = migrations.Plan(governance(), lambda _: [], GOVERNANCE_DELAY, RETIRE_DELAY)
        journal = migrations.run(anvil.url, who("deployer"), plan, folder / "deployments")
        yield Chain(anvil, journal.deployment(), folder)


@pytest.fixture
def chain(deployed: Chain) -> Iterator[Chain]:
    """The deployment, untouched; whatever a test does to it is undone."""
    mark = deployed.anvil.rpc("evm_snapshot")
    yield deployed
    deployed.anvil.rpc("evm_revert", mark)


@pytest.fixture(params=["memory", pytest.param("anvil", marks=pytest.mark.anvil)])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A fresh ledger of either kind."""
    if request.param == "memory":
        yield memory_bench(Clock())
        return
    bench = request.getfixturevalue("chain").bench()
    yield bench
    bench.ledger.close()

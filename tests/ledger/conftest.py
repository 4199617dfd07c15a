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
from dtledger._backend.artifacts import layout
from dtledger._backend.evm import EvmLedger
from dtledger._backend.postgresql import Server
from dtledger.encoding import keccak
from dtledger.ledger import Deployment
from dtledger.testing import Clock
from tests.ledger.bench import GOVERNANCE_DELAY, PEOPLE, RETIRE_DELAY, Bench, governance, memory_bench, memory_line, who


@dataclass(frozen=True)
class Chain:
    """A running Anvil with a finished deployment on it."""

    anvil: Anvil
    deployment: Deployment
    folder: Path

    def bench(self, cache: Path | Server | None = None, deployment: Deployment | None = None) -> Bench:
        # at 0 no block is ever old: a refusal writes nothing, whatever time the tests let pass
        ledger = EvmLedger(self.anvil.url, deployment or self.deployment, cache, clock=int)
        return Bench(ledger, Clock(ledger.head().at), self._arrange, self._poke)

    def _arrange(self, at: int) -> None:
        self.anvil.rpc("evm_setNextBlockTimestamp", at)

    def _poke(self, what: str, keys: tuple[Any, ...], value: int) -> None:
        """The places that solc gives ConsentStore's mappings: `_epochs` 1, `_blockCounts` 2 (`forge inspect`)."""
        contract = "TwinRegistry" if what == "twins" else "ConsentRegistry"
        slot = layout(contract)["twinCount"].slot if what == "twins" else {"epoch": 1, "blocks": 2}[what]
        place = slot.to_bytes(32)
        for key in keys:
            place = keccak(abi_encode(["address" if isinstance(key, str) else "uint256"], [key]) + place)
        self.anvil.rpc(
            "anvil_setStorageAt",
            self.deployment.contracts[contract],
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


@pytest.fixture(scope="session")
def successor(deployed: Chain) -> Deployment:
    """A deployment beside the first, which is its predecessor."""
    roles = {role: governance()[role] for role in migrations.OF_SUCCESSOR}
    plan = migrations.Plan(roles, lambda _: [], GOVERNANCE_DELAY, RETIRE_DELAY, predecessor=deployed.deployment)
    return migrations.run(deployed.anvil.url, who("deployer"), plan, deployed.folder / "deployments").deployment()


@pytest.fixture
def chain(deployed: Chain) -> Iterator[Chain]:
    """The deployment, untouched; whatever a test does to it is undone."""
    mark = deployed.anvil.rpc("evm_snapshot")
    yield deployed
    deployed.anvil.rpc("evm_revert", mark)
    deployed.anvil.rpc("anvil_dropAllTransactions")  # going back forgets no pool: a later test's nonce would wake them


@pytest.fixture(params=["memory", pytest.param("anvil", marks=pytest.mark.anvil)])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A fresh ledger of either kind."""
    if request.param == "memory":
        yield memory_bench(Clock())
        return
    bench = request.getfixturevalue("chain").bench()
    yield bench
    bench.ledger.close()


@pytest.fixture(params=["memory", pytest.param("anvil", marks=pytest.mark.anvil)])
def line(request: pytest.FixtureRequest) -> Iterator[tuple[Bench, Bench]]:
    """Two deployments of one line on a fresh ledger of either kind: the first, and the one after it."""
    if request.param == "memory":
        yield memory_line(Clock())
        return
    after = request.getfixturevalue("successor")
    chain = request.getfixturevalue("chain")
    old, new = chain.bench(), chain.bench(deployment=after)
    new.clock = old.clock
    yield old, new
    old.ledger.close()
    new.ledger.close()

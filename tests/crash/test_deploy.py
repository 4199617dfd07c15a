"""A deployment that dies at any of its writes is finished by the next run: each step once, the same addresses."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dtledger._backend.anvil import Anvil
from dtledger._backend.evm import EvmLedger
from dtledger._backend.migrations import ROLES, read_deployment
from dtledger.errors import DtledgerError, InputError
from dtledger.ledger import CONTRACTS, RELAY
from dtledger.vocabulary import Kind
from tests.crash.deaths import Death, deaths, run_killed
from tests.crash.operations import CUSTODIAN, DEPLOYER, GOVERNOR, deploy

pytestmark = pytest.mark.anvil


@dataclass
class Site:
    """A bare chain, and the folder that records what is deployed on it."""

    anvil: Anvil
    home: Path
    snapshot: str = field(default="")

    def restore(self) -> None:
        for record in (self.home / "deployments").glob("*"):
            record.unlink()
        assert self.anvil.rpc("evm_revert", self.snapshot)
        self.anvil.rpc("evm_setTime", int(time.time()))
        self.snapshot = self.anvil.rpc("evm_snapshot")

    @property
    def record(self) -> Path | None:
        return next((self.home / "deployments").glob("*.json"), None)

    def contracts(self) -> dict[str, str]:
        """The addresses recorded so far."""
        found: dict[str, str] = json.loads(self.record.read_text())["contracts"] if self.record else {}
        return found

    def transactions(self) -> int:
        """How many the deployer sent."""
        return int(self.anvil.rpc("eth_getTransactionCount", DEPLOYER.address, "latest"), 16)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("deploy")
    with Anvil(home / "anvil") as anvil:
        anvil.fund(DEPLOYER.address)
        (home / "url").write_text(anvil.url)
        (home / "deployments").mkdir()
        yield Site(anvil, home, anvil.rpc("evm_snapshot"))


@pytest.fixture
def site(ground: Site) -> Site:
    ground.restore()
    return ground


def assert_refused_until_it_is_finished(site: Site) -> None:
    """A record that says that its steps are not all done is no deployment to anybody."""
    if site.record is not None and not json.loads(site.record.read_text())["complete"]:
        with pytest.raises(InputError, match="not finished"):
            read_deployment(site.record)


def assert_finished_once(site: Site, known: dict[str, str]) -> None:
    """One record, finished; what was deployed before the death was kept; no transaction was sent twice."""
    journal = deploy(site.home)
    assert site.record is not None
    assert list((site.home / "deployments").glob("*.json")) == [site.record]
    assert journal.complete
    assert {name: journal.contracts[name] for name in known} == known
    assert all(step["done"] for step in journal.steps.values())
    assert site.transactions() == len(journal.steps)
    with EvmLedger(site.anvil.url, read_deployment(site.record)) as ledger:
        custodian = ledger.view().member(CUSTODIAN.address)
        assert custodian is not None
        assert custodian.is_a(Kind.CUSTODIAN)
    steps = len((*CONTRACTS, RELAY)) + 6 + 2 + len(ROLES) + 3 + 1
    assert len(journal.steps) == steps, "contracts, rights, the founder, governance, dropping, remembering"


def survive(site: Site, **how: Any) -> int:
    died = 0
    for death in deaths(deploy, site.home, site.restore, **how):
        died += 1
        try:
            known = site.contracts()
            assert_refused_until_it_is_finished(site)
            deploy(site.home)
            assert_finished_once(site, known)
        except (AssertionError, DtledgerError) as error:
            raise AssertionError(f"{death}: {error}") from error
    return died


@pytest.mark.parametrize("at", [pytest.param(5, marks=pytest.mark.slow), 6])
def test_killed_in_every_step_of_every_run_it_is_finished_all_the_same(site: Site, at: int) -> None:
    """A step is noted (2 writes), sent (1) and noted as done (2): each run gets about one step further, and then dies
    before its transaction is sent, after that, or half way through a note."""
    known: dict[str, str] = {}
    runs = 1
    while run_killed(deploy, site.home, Death(at, power_cut=False)) is None:
        runs += 1
        assert_refused_until_it_is_finished(site)
        assert {name: site.contracts()[name] for name in known} == known
        known = site.contracts()
    assert len(known) == len((*CONTRACTS, RELAY))
    assert runs > 21
    assert_finished_once(site, known)


@pytest.mark.slow
@pytest.mark.parametrize("power_cut", [False, True], ids=["killed", "power cut"])
def test_dead_at_any_write_it_is_finished_by_the_next_run(site: Site, power_cut: bool) -> None:
    assert survive(site, power_cut=power_cut, only=range(1, 200, 3) if power_cut else None) > 40


def test_a_deployment_that_notes_a_step_afterwards_does_not_survive(site: Site) -> None:
    with pytest.raises(AssertionError, match="killed at write"):
        survive(site, broken="notes_a_step_when_it_is_done")


def test_governance_has_its_roles_and_the_deployer_none(site: Site) -> None:
    journal = deploy(site.home)
    manager = journal.contracts["AccessManager"]
    for role, number in ROLES.items():
        for who, has in ((GOVERNOR.address, True), (DEPLOYER.address, False)):
            assert has_role(site.anvil, manager, number, who) is has, (role, who)


def has_role(anvil: Anvil, manager: str, role: int, who: str) -> bool:
    """`hasRole(uint64,address)`: its first word is whether, its second the delay."""
    data = "0xd1f856ee" + f"{role:064x}" + who[2:].lower().rjust(64, "0")
    answer: str = anvil.rpc("eth_call", {"to": manager, "data": data}, "latest")
    return int(answer[:66], 16) == 1

"""`twin erase`: announced, cancelled, waited for, done. On a chain of its own whose time, and ours, is moved on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result

from dtledger._backend.directory_store import DirectoryStore
from dtledger.client.devnet import OPERATOR, PROFILE, Devnet
from dtledger.client.embedded import custodian_keys
from dtledger.client.opening import open_client
from dtledger.custody import Destruction
from dtledger.home import Home
from dtledger.ledger import Deployment
from dtledger.readings import Reading

from .bare import Run, runner
from .twins import complaint, said

pytestmark = pytest.mark.anvil

WEEK = 7 * 86_400


class Place:
    """A devnet, what time it is on it, and twins of `patient`'s with an hour of glucose."""

    def __init__(self, home: Home) -> None:
        self.devnet = Devnet(home)
        self.home = home
        self.ahead = 0

    def now(self) -> float:
        return time.time() + self.ahead

    def wait(self, seconds: int = WEEK) -> None:
        self.ahead += seconds
        self.devnet.anvil.rpc("evm_increaseTime", seconds)
        self.devnet.anvil.rpc("evm_mine")

    def deployment(self) -> Deployment:
        with open_client(PROFILE, "patient", home=self.home) as patient:
            return patient.context.deployment

    def new_twin(self) -> int:
        with open_client(PROFILE, "patient", home=self.home) as patient:
            with open_client(PROFILE, OPERATOR, home=self.home) as operator:
                twin, _ = operator.twins.mint(patient.twins.request_mint())
            patient.twins.set_up(twin, list(patient.context.custodians), 2)
            start = int(self.now()) // 300 * 300 - 3600
            patient.writer.put(twin, "glucose", [Reading(start + 300 * n, 5.0, "mmol/L", 60) for n in range(12)])
        return twin


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(Home(tmp_path_factory.mktemp("erase") / "home", "test"))
    place.devnet.up(DirectoryStore)
    try:
        for name in (OPERATOR, "patient"):
            place.devnet.key(name)
        place.devnet.fund()
        yield place
    finally:
        place.devnet.down()


@pytest.fixture
def place(started: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr("dtledger.client.core.time", SimpleNamespace(time=started.now))
    return started


@pytest.fixture
def run(place: Place, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(place.home.root, monkeypatch)


@pytest.fixture
def tell(run: Run) -> Callable[..., dict[str, Any]]:
    return lambda *words: said(run("twin", "erase", *words, "--key", "patient", "--yes", "--json"))


def blocks(place: Place) -> int:
    return sum(each.is_file() for each in (place.home.root / "blocks" / "blocks").rglob("b*"))


def test_announced_cancelled_announced_again_waited_for_and_done(
    place: Place, run: Run, tell: Callable[..., dict[str, Any]]
) -> None:
    twin = place.new_twin()
    dry = tell(twin, "--dry-run")
    assert (dry["schema"], dry["stage"], dry["sent"]) == ("dtledger/twin-erasure/1", "none", {})
    announced = run("twin", "erase", twin, "--key", "patient", "--yes")
    assert announced.exit_code == 0, announced.stderr
    assert "is not read by anybody, and final from" in announced.stdout
    read = ("twin", "read", twin, "--category", "glucose", "--purpose", "PATRQT", "--key", "patient")
    assert "RETIRED" in run(*read).stderr
    assert tell(twin)["stage"] == "announced", "looking again only says when"
    assert tell(twin, "--cancel", "--dry-run")["sent"] == {}
    assert tell(twin, "--cancel")["stage"] == "cancelled"
    assert run(*read).exit_code == 0
    tell(twin)
    place.wait(WEEK - 60)
    assert tell(twin)["stage"] == "announced"
    place.wait(120)
    assert tell(twin, "--dry-run")["stage"] == "final"
    before = blocks(place)
    done = tell(twin)
    assert (done["stage"], done["holds"], done["secrets_forgotten"]) == ("erased", True, False)
    assert len(done["signed"]) == 3
    deployment = place.deployment()
    for each in done["signed"]:
        statement = Destruction.decode(bytes.fromhex(each["statement"][2:]))
        assert statement.verify(deployment, twin, each["custodian"]["address"]).keys
    assert done["rosters"][0]["needed"] == 2
    assert blocks(place) == before - done["blocks"]["removed"]
    assert (done["blocks"]["removed"], done["blocks"]["left"]) == (2 * done["blocks"]["snapshots"], [])
    assert "RETIRED" in done["read"]["message"]
    assert not list(place.home.custodians.rglob(f"{twin}-0x*.key"))
    assert len(list(place.home.custodians.rglob(f"{twin}.destroyed"))) == 3


def test_what_custodians_signed_goes_to_an_auditor_in_a_file_and_with_it_into_a_bundle(
    place: Place, run: Run, tell: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    twin, file, bundle = place.new_twin(), tmp_path / "signed", tmp_path / "twin.bundle"
    tell(twin)
    place.wait(WEEK + 60)
    tell(twin)
    tell(twin, "--statements", file)  # whoever forgot it has it signed again
    audit = ("audit", "twin", twin, "--json", "--key")
    assert erasure(run(*audit, "patient")) == "cannot check"
    assert erasure(run(*audit, "patient", "--statements", file)) == "pass"
    assert erasure(run(*audit, OPERATOR, "--statements", file)) == "pass", (
        "they are the custodians' word, whoever shows it"
    )
    made = run("audit", "export", bundle, "--twin", twin, "--statements", file, "--key", "patient", "--json")
    assert erasure(made) == "pass"
    assert erasure(run("audit", "verify", bundle, "--online", "--json")) == "pass"
    other = place.new_twin()
    tell(other)
    place.wait(WEEK + 60)
    tell(other)
    strange = ("audit", "twin", other, "--json", "--key", "patient", "--statements", file)
    assert erasure(run(*strange)) == "fail", "what was signed of one twin says nothing of another"
    again = run("twin", "erase", twin, "--statements", file, "--key", "patient", "--yes", "--json")
    assert "There is a file" in complaint(again, 2)["message"]
    (tmp_path / "nonsense").write_bytes(b"{}")
    spoilt = run(*audit, "patient", "--statements", tmp_path / "nonsense")
    assert "no statements of destruction" in complaint(spoilt, 2)["message"]


def erasure(result: Result) -> str:
    """The verdict of that claim."""
    (claim,) = [each for each in json.loads(result.stdout)["claims"] if each["claim"] == "erasure"]
    return str(claim["verdict"])


def test_it_says_what_remains_and_that_it_is_a_promise(
    place: Place, run: Run, tell: Callable[..., dict[str, Any]]
) -> None:
    twin = place.new_twin()
    tell(twin)
    place.wait(WEEK + 60)
    result = run("twin", "erase", twin, "--key", "patient", "--yes", "--forget-secrets")
    assert result.exit_code == 0, result.stderr
    assert "custodian-1 signed that it destroyed its keys" in result.stdout
    assert "3 of 3 destroyed theirs, 2 must: enough" in result.stdout
    assert "holds, if they keep their word" in result.stdout
    assert "and no proof" in result.stderr
    assert "remains: on the ledger, for ever and for everybody" in result.stderr
    assert "can still link the twin to a person" in result.stderr
    with open_client(PROFILE, "patient", home=place.home) as patient:
        assert not patient.context.key.secrets.has_twin(patient.context.deployment.id, twin)
    shown = run("twin", "show", twin, "--key", "patient")
    assert "final since" in shown.stdout


def test_who_did_not_sign_is_named_the_exit_code_says_so_and_it_can_be_run_again(
    place: Place, run: Run, tell: Callable[..., dict[str, Any]]
) -> None:
    twin = place.new_twin()
    tell(twin)
    place.wait(WEEK + 60)
    files = [custodian_keys(place.home).open(f"custodian-{number}").path for number in (1, 2)]
    kept = {file: file.read_bytes() for file in files}
    for file in files:
        file.write_bytes(b"{}")
    words = ("twin", "erase", twin, "--key", "patient", "--yes")
    refused = run(*words)
    assert refused.exit_code == 6
    assert "DID NOT SIGN" in refused.stdout
    assert "TOO FEW" in refused.stdout
    assert "Run it again" in refused.stderr
    for file, data in kept.items():
        file.write_bytes(data)
    assert said(run(*words, "--json"))["holds"] is True


def test_only_the_owner_and_one_way_at_a_time(place: Place, run: Run) -> None:
    twin = place.new_twin()
    assert complaint(run("twin", "erase", twin, "--key", OPERATOR, "--yes", "--json"), 3)
    assert run("twin", "erase", twin, "--key", "patient", "--cancel", "--forget-secrets").exit_code == 2
    assert run("twin", "erase", twin, "--key", "patient").exit_code == 2, "nobody is there to answer"
    assert run("twin", "erase", twin, "--key", "patient", "--cancel", "--yes").exit_code == 1, "none is announced"

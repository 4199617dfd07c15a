"""Code is of this deployment, and the deployment is the one that the auditor knows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from dtledger._backend.migrations import Journal
from dtledger._backend.runtimes import shipped
from dtledger._cli import main
from dtledger.audit import Denied, Question, Verdict
from dtledger.encoding import keccak
from dtledger.ledger import CONTRACTS, Deployment
from tests.audit.forged import CHAIN, GENESIS, READER, TWIN, Forged, account, code, verdicts

DENIED = Question(twin=TWIN, denied=(Denied(READER, 1),), whole=True)
OTHER = account(99)


def beside(which: str) -> Deployment:
    """The deployment with one contract of the same code that somebody made beside it."""
    true = Forged().deployment
    return replace(true, contracts={**true.contracts, which: OTHER})


def test_a_registry_of_the_same_code_in_which_nothing_was_ever_granted_is_told_by_whoever_knows_the_true_one() -> None:
    """Anybody can make one on the same chain, and an honest head proves what it holds."""
    granted = Forged.granted()
    false = replace(granted, deployment=beside("ConsentRegistry"))
    found = false.claims(DENIED)
    assert verdicts(found, "denied") == [Verdict.PASS]
    assert verdicts(found, "code") == [Verdict.PASS] * len(CONTRACTS)
    assert verdicts(false.claims(DENIED, granted.deployment), "deployment") == [Verdict.FAIL]
    found = granted.claims(DENIED, granted.deployment)
    assert (verdicts(found, "deployment"), verdicts(found, "denied")) == ([Verdict.PASS], [Verdict.FAIL])


def test_whose_contracts_they_are_is_not_known_by_a_deployment_on_another_chain() -> None:
    made = Forged()
    elsewhere = replace(made.deployment, chain_id=1)
    assert verdicts(made.claims(DENIED, elsewhere), "deployment") == [Verdict.CANNOT_CHECK]
    assert verdicts(made.claims(DENIED, made.deployment), "deployment") == [Verdict.PASS]


@pytest.mark.parametrize(
    ("asking", "asked"),
    [("ConsentRegistry", "TwinRegistry"), ("ConsentRegistry", "MemberRegistry"), ("ModelLedger", "MemberRegistry")],
)
def test_a_contract_that_asks_another_registry_than_the_deployments_is_not_of_it(asking: str, asked: str) -> None:
    made = Forged()
    where = made.deployment.contracts[asking]
    strange = {where: code(asking, replace(beside(asked), contracts={**beside(asked).contracts, asking: where}))}
    failed = [each for each in replace(made, codes=strange).claims(DENIED) if each.verdict is Verdict.FAIL]
    assert ("code", asking) in [(each.name, each.about) for each in failed]
    assert verdicts(made.claims(DENIED), "code") == [Verdict.PASS] * len(CONTRACTS)


def test_code_that_has_two_values_for_one_immutable_is_no_constructors() -> None:
    made = Forged()
    where = made.deployment.contracts["ConsentRegistry"]
    places = max(shipped()["ConsentRegistry"].immutables, key=len)
    assert len(places) > 1
    changed = bytearray(code("ConsentRegistry", made.deployment))
    start, length = places[-1]
    changed[start : start + length] = bytes(length)
    found = replace(made, codes={where: bytes(changed)}).claims(DENIED)
    failed = [each for each in found if each.name == "code" and each.verdict is Verdict.FAIL]
    assert [(each.about, each.evidence) for each in failed] == [
        ("ConsentRegistry", "what was built into the code is not of this deployment")
    ]
    assert verdicts(made.claims(DENIED), "code") == [Verdict.PASS] * len(CONTRACTS)


UNKNOWN = ("deployment", "cannot check")


@pytest.mark.parametrize("known", [False, True])
def test_the_command_holds_a_file_against_the_profiles_deployment_or_says_that_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    true = Forged()
    record = Journal(tmp_path / "record.json", CHAIN, GENESIS, account(5), contracts=dict(true.deployment.contracts))
    replace(record, complete=True).save()
    monkeypatch.setenv("DTLEDGER_HOME", str(tmp_path / "nothing"))
    if known:
        monkeypatch.setenv("DTLEDGER_DEPLOYMENT", str(record.path))
    file = tmp_path / "twin.bundle"
    file.write_bytes(replace(true, deployment=beside("ConsentRegistry")).bundle(DENIED).encode())
    told = json.loads(CliRunner().invoke(main, ["audit", "verify", str(file), "--json"]).stdout)
    failed = [each["about"] for each in told["claims"] if each["claim"] == "deployment" and each["verdict"] == "fail"]
    assert (told["known"], failed) == (known, ["the contracts"] if known else [])
    open_ = [each["evidence"] for each in told["claims"] if (each["claim"], each["verdict"]) == UNKNOWN]
    assert [OTHER in each for each in open_] == ([] if known else [True])


STRANGERS = ("web3", "fastapi", "uvicorn", "eth_account", "requests", "urllib3", "http", "ssl", "sqlite3", "asyncio")
WITHIN = ("keys", "client", "custodian", "gateway", "service", "importers", "fhir", "federated", "testing")


def test_the_command_loads_nothing_of_nodes_keys_services_or_the_network(tmp_path: Path) -> None:
    """In a process of its own, with a record of the contracts: what is not loaded cannot be asked."""
    true = Forged.granted()
    record = Journal(tmp_path / "record.json", CHAIN, GENESIS, account(5), contracts=dict(true.deployment.contracts))
    replace(record, complete=True).save()
    file = tmp_path / "twin.bundle"
    file.write_bytes(true.bundle(DENIED).encode())
    words = ["verify", str(file), "--head", "0x" + keccak(true.head).hex(), "--deployment", str(record.path), "--json"]
    script = (
        "import atexit, sys; atexit.register(lambda: print('loaded', *sys.modules, file=sys.stderr)); "
        "from dtledger._cli import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", script, "audit", *words]
    environment = {"PATH": os.environ["PATH"], "DTLEDGER_HOME": str(tmp_path / "nothing")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    claims = json.loads(done.stdout)["claims"]
    assert {each["verdict"] for each in claims if each["claim"] == "deployment"} == {"pass"}
    loaded = set(done.stderr.split("loaded ")[1].split())
    assert {"dtledger.audit.answer", "dtledger._backend.deployments"} <= loaded
    strange = {each for each in loaded if each.split(".")[0] in STRANGERS}
    strange |= {each for each in loaded if each.startswith("dtledger.") and each.split(".")[1] in WITHIN}
    assert strange == set()

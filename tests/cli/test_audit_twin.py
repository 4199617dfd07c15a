"""`audit twin`, `snapshot`, `export` and `verify`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result

from dtledger._backend import sources
from dtledger._backend.runtimes import shipped
from dtledger.client.devnet import PROFILE
from dtledger.config import Settings
from tests.cli.twins import Twin, complaint, new_twin, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = [pytest.mark.anvil, pytest.mark.slow]

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def read(devnet_home: DevnetHome) -> Twin:
    """A twin that cardiology has read and may read no more. No test changes it."""
    made = new_twin(devnet_home)
    slot = made.grant()
    with devnet_home.client("cardiology") as clinician, devnet_home.client("patient") as patient:
        clinician.read(made.number, "glucose", "TREAT")
        patient.consents.revoke(slot)
    return made


def told(result: Result, exit_code: int = 0) -> dict[str, Any]:
    assert result.exit_code == exit_code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def verdicts(found: dict[str, Any]) -> dict[str, set[str]]:
    """Claim → its verdicts."""
    names = {each["claim"] for each in found["claims"]}
    return {name: {each["verdict"] for each in found["claims"] if each["claim"] == name} for name in names}


def test_an_owner_sees_every_claim_pass(dtledger: Run, read: Twin) -> None:
    found = told(dtledger("audit", "twin", read.number, "--key", "patient", "--reveal", "glucose", "--json"))
    every = "chain code events owner card state roster index stream writer category receipts digests consent"
    assert verdicts(found) == {name: {"pass"} for name in every.split()}
    assert found["fail"] == found["cannot_check"] == 0
    shown = dtledger("audit", "twin", read.number, "--key", "patient", "--reveal", "glucose")
    assert "without a gap" in shown.stdout


def test_an_outsider_cannot_check_what_only_the_owner_can_show(dtledger: Run, read: Twin) -> None:
    found = verdicts(told(dtledger("audit", "twin", read.number, "--key", "gateway", "--json"), 6))
    assert {name for name, said in found.items() if said != {"pass"}} == {"category", "receipts"}
    refused = dtledger("audit", "twin", read.number, "--key", "gateway", "--reveal", "glucose", "--json")
    assert "Only the owner" in complaint(refused, 2)["message"]


def test_one_snapshot_is_audited_by_its_digest(dtledger: Run, read: Twin) -> None:
    listed = said(dtledger("snapshot", "list", "--twin", read.number, "--key", "patient", "--json"))
    digest = listed["snapshots"][0]["digest"]
    found = verdicts(
        told(dtledger("audit", "snapshot", digest, "--twin", read.number, "--key", "gateway", "--json"), 6)
    )
    assert found["anchored"] == found["stream"] == found["writer"] == {"pass"}


def test_a_file_says_what_the_node_said_and_needs_neither_home_nor_network(
    dtledger: Run, read: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, clinician = tmp_path / "twin.bundle", "cardiology"
    with read.home.client(clinician) as client:
        block = client.context.ledger.head().number
    words = ("--twin", read.number, "--key", "patient", "--reveal", "glucose", "--denied", f"{clinician}@{block}")
    made = told(dtledger("audit", "export", file, *words, "--json"))
    assert verdicts(made)["denied"] == {"pass"}
    record = Settings.load(read.home.home, {"profile": PROFILE}, env={}).deployment_path
    monkeypatch.setenv("DTLEDGER_HOME", str(tmp_path / "nothing"))
    known = ("--deployment", record, "--json")
    found = told(dtledger("audit", "verify", file, "--head", made["head"], *known))
    assert [each["verdict"] for each in found["claims"]] == ["pass"] * (len(made["claims"]) + 2)
    assert (found["pinned"], found["known"]) == (True, True)
    other = told(dtledger("audit", "verify", file, "--head", "0x" + "11" * 32, *known), 4)
    assert other["claims"][0]["verdict"] == "fail"
    strange = told(dtledger("audit", "verify", file, "--head", made["head"], "--json"), 6)
    assert [each["claim"] for each in strange["claims"] if each["verdict"] != "pass"] == ["deployment"]
    assert complaint(dtledger("audit", "verify", file, "--deployment", file, "--json"), 2)["error"] == "InputError"
    unpinned = told(dtledger("audit", "verify", file, *known), 6)
    assert [each["claim"] for each in unpinned["claims"] if each["verdict"] != "pass"] == ["chain"]
    assert f"{made['head']}, and give that hash with --head" in unpinned["claims"][0]["evidence"]


def test_code_is_held_against_what_the_sources_compile_to_now_where_that_is_wished(
    dtledger: Run, read: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`tests/cli/test_deploy.py` compiles them in earnest."""
    file, words = tmp_path / "twin.bundle", ("--key", "patient", "--reveal", "glucose", "--json")
    monkeypatch.setattr(sources, "compiled", lambda root: shipped())
    made = told(dtledger("audit", "twin", read.number, "--compile", *words))
    assert {"the sources make them" in each["evidence"] for each in of(made, "code")} == {True}
    head = told(dtledger("audit", "export", file, "--twin", read.number, *words))["head"]
    verified = told(dtledger("audit", "verify", file, "--head", head, "--json"))
    assert {"this package ships them" in each["evidence"] for each in of(verified, "code")} == {True}
    changed = replace(shipped()["ConsentRegistry"], code=shipped()["TwinRegistry"].code)
    monkeypatch.setattr(sources, "compiled", lambda root: {**shipped(), "ConsentRegistry": changed})
    for command in (("twin", read.number, *words), ("verify", file, "--head", head, "--json")):
        found = told(dtledger("audit", *command, "--compile"), 4)
        failed = [(each["claim"], each["about"]) for each in found["claims"] if each["verdict"] == "fail"]
        assert failed == [("code", "ConsentRegistry")]
    monkeypatch.setattr(sources, "checkout", lambda: None)  # as from a wheel
    assert "no sources" in complaint(dtledger("audit", "twin", read.number, "--compile", *words), 2)["message"]


def of(found: dict[str, Any], claim: str) -> list[dict[str, Any]]:
    return [each for each in found["claims"] if each["claim"] == claim]


def test_a_file_is_held_against_the_node_where_that_is_wished(
    dtledger: Run, read: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "twin.bundle"
    told(dtledger("audit", "export", file, "--twin", read.number, "--key", "patient", "--reveal", "glucose", "--json"))
    assert told(dtledger("audit", "verify", file, "--online", "--json"))["pinned"]
    settings = Settings.load(read.home.home, {"profile": PROFILE}, env={})
    assert told(dtledger("audit", "verify", file, "--rpc-url", settings.rpc_url, "--json"))["pinned"]
    both = dtledger("audit", "verify", file, "--online", "--head", "0x" + "11" * 32)
    assert (both.exit_code, "Choose one" in both.output) == (2, True)
    monkeypatch.setenv("DTLEDGER_HOME", str(tmp_path / "nothing"))
    node = ("--rpc-url", settings.rpc_url, "--deployment", settings.deployment_path, "--json")
    assert told(dtledger("audit", "verify", file, *node))["pinned"], "an auditor needs a node, a record and no more"


def test_a_file_that_was_changed_is_refused(dtledger: Run, read: Twin, tmp_path: Path) -> None:
    file = tmp_path / "twin.bundle"
    told(dtledger("audit", "export", file, "--twin", read.number, "--key", "patient", "--reveal", "glucose", "--json"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    assert "not as it was written" in complaint(dtledger("audit", "verify", file, "--json"), 4)["message"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("audit", "export", "FILE"), "Name a twin or a model"),
        (("audit", "export", "FILE", "--twin", "1", "--model", "cgm"), "not both"),
        (("audit", "twin", "1", "--head", "0x12"), "is no hash"),
        (("audit", "twin", "1", "--denied", "cardiology"), "is not WHO@BLOCK"),
        (("audit", "twin", "1", "--proofs", __file__), "holds no custodian's proofs"),
        (("audit", "twin", "1", "--statements", __file__), "holds no statements of destruction"),
    ],
)
def test_what_cannot_be_meant_is_refused(dtledger: Run, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    named = [str(tmp_path / "file") if each == "FILE" else each for each in words]
    assert says in complaint(dtledger(*named, "--key", "gateway", "--json"), 2)["message"]

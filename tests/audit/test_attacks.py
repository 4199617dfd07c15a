"""Each attack on an audit fails the claim that it is about and no other, from a node and from a file alike."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from dtledger._backend.anvil import Anvil
from dtledger.audit import Audit, Denied, Question, Verdict, exit_code, export
from tests.audit import lies_of_custodians, lies_of_nodes, lies_of_snapshots  # noqa: F401 they fill ATTACKS
from tests.audit.attacks import ATTACKS, Evidence
from tests.audit.chain_world import ChainWorld, from_file

pytestmark = [pytest.mark.anvil, pytest.mark.slow]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    """A run in which nobody lied: written, read twice, anchored, revoked."""
    folder = tmp_path_factory.mktemp("audit")
    with Anvil(folder / "anvil", state_interval=3600) as anvil, ChainWorld(anvil, folder, hours=4) as world:
        world.clinician.read(world.twin, "glucose", "TREAT")
        world.patient.read(world.twin, "glucose", "PATRQT")
        world.anchor_receipts()
        world.patient.consents.revoke(world.consent)
        yield world


@pytest.fixture
def evidence(ended: ChainWorld) -> Iterator[Evidence]:
    """All that is honest; what a test does to the chain is undone."""
    mark = ended.anvil.rpc("evm_snapshot")
    denied = Denied(ended.clinician.address, ended.ledger.head().number)
    asked = ended.asked(question=Question(twin=ended.twin, denied=(denied,)))
    yield Evidence(ended, asked, ended.source(), ended.store)
    ended.anvil.rpc("evm_revert", mark)


def names(claims: Any, verdict: Verdict) -> set[str]:
    return {each.name for each in claims if each.verdict is verdict}


def test_a_run_in_which_nobody_lied_passes_every_claim(evidence: Evidence) -> None:
    claims = list(Audit(evidence.asked, evidence.source, evidence.store).claims())
    assert [each for each in claims if each.verdict is not Verdict.PASS] == []
    every = "chain code denied events owner card state roster index stream writer category receipts digests consent"
    assert {each.name for each in claims} == set(every.split())
    assert exit_code(claims) == 0


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_fails_its_claim_and_no_other_from_node_and_file(
    evidence: Evidence, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack = ATTACKS[name]
    made = attack.make(evidence, True)
    assert made is not None
    bundle, claims = export(made.asked, made.source, made.store)
    assert names(claims, Verdict.FAIL) == attack.fails
    assert names(claims, Verdict.CANNOT_CHECK) >= attack.cannot
    monkeypatch.setattr(socket, "socket", None)
    assert from_file(bundle, made.asked)[:-1] == claims


@pytest.mark.parametrize("name", ATTACKS)
def test_the_same_without_its_fault_passes(evidence: Evidence, name: str) -> None:
    made = ATTACKS[name].make(evidence, False)
    assert made is not None
    claims = list(Audit(made.asked, made.source, made.store).claims())
    unnamed = {"category"} if name.startswith("a writer") else set()
    assert {each.name for each in claims if each.verdict is not Verdict.PASS} - unnamed == set()


def test_a_file_is_verified_without_a_network(evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, claims = export(evidence.asked, evidence.source, evidence.store)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    again = from_file(bundle, evidence.asked)
    assert again[:-1] == claims
    assert (again[-1].name, again[-1].verdict) == ("bundle", Verdict.PASS)

"""Audits on five validators: a file proves by one block's hash what the chain has, of a twin and of a trained model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtledger.audit import Asked, Bundle, Claim, Denied, Given, Question, Verdict, exit_code, export
from dtledger.models.opening import Opening
from tests.audit.chain_world import from_file
from tests.audit.runs import Run
from tests.models.scene import Scene
from tests.network.world import NetworkWorld


@pytest.fixture
def run(dtledger_world: NetworkWorld) -> Run:
    world = dtledger_world
    run = Run(Scene(world, twins=1))
    run.ledger.mine = lambda: world.ledger.heartbeat(world.operator.context.key)  # type: ignore[attr-defined, method-assign]
    return run


def assert_passes(bundle: Bundle, claims: list[Claim], asked: Asked | None = None) -> None:
    """Every claim, to who asks the node as to who has the file, and what was asked for, alone."""
    assert [each for each in claims if each.verdict is not Verdict.PASS] == []
    again = from_file(bundle, asked)
    assert [(each.name, each.about, each.verdict) for each in again[: len(claims)]] == [
        (each.name, each.about, each.verdict) for each in claims
    ]
    assert exit_code(again) == 0


def shown_to_the_auditor(run: Run) -> Iterator[Opening]:
    """Each site's opening, sealed as it is sent, and opened."""
    key, deployment = run.scene.auditor.context.key, run.world.ledger.deployment
    sites = {each.address: each.context.key for each in run.scene.sites}
    for each in run.openings:
        sealed = each.sealed(deployment, sites[each.site], key.address, key.seal_key.public)
        yield Opening.unsealed(deployment, sealed, key.address, key.seal_key)


def test_all_that_an_audit_of_a_twin_claims_passes(dtledger_world: NetworkWorld) -> None:
    world = dtledger_world
    world.clinician.read(world.twin, "glucose", "TREAT")
    receipt = world.patient.consents.revoke(world.consent)
    world.anchor_receipts()
    question = Question(twin=world.twin, denied=(Denied(world.clinician.address, receipt.block),))
    bundle, claims = export(world.asked(question=question), world.source(), world.store)
    assert_passes(bundle, claims)
    assert {each.name for each in claims} >= {"receipts", "denied", "code"}


def test_a_round_that_both_sites_commit_to_is_audited_without_a_fault(run: Run) -> None:
    world: NetworkWorld = run.world  # type: ignore[assignment]
    run.whole()
    files = {place: (lambda file=file: [file]) for place, file in run.files.items()}
    given = Given(openings=tuple(shown_to_the_auditor(run)))
    asked = Asked(Question(model=run.model.number), given, world.deployment, files=files)
    bundle, claims = export(asked, world.source(), world.store)
    assert_passes(bundle, claims, asked)
    assert {each.name for each in claims} >= {"events", "budget", "consents", "aggregate"}

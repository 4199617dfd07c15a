"""Each lie about a model fails the claim that it is about and no other; with its one fault mended the run passes."""

from __future__ import annotations

import pytest

from dtledger.audit import Verdict, exit_code
from dtledger.client import Client
from dtledger.ledger import Slot
from dtledger.ledger.events import Enrolled
from tests.audit import lies_of_consents, lies_of_coordinators, lies_of_ledgers, lies_of_sites
from tests.audit.runs import Run, about, those

pytestmark = pytest.mark.slow  # each in a world of its own

LIES = {**lies_of_coordinators.LIES, **lies_of_ledgers.LIES, **lies_of_sites.LIES, **lies_of_consents.LIES}
OF_THE_MODEL, OF_A_ROUND = {"card"}, {"aggregate", "weights", "withdrawals", "remediation"}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_fails_its_own_claim_and_no_other(run: Run, name: str) -> None:
    lie = LIES[name]
    lie.make(run, True)
    claims, site = run.claims(), run.scene.sites[0]
    if lie.claim in OF_THE_MODEL:
        where = "the model"
    else:
        where = f"round {lie.number}" if lie.claim in OF_A_ROUND else about(site, lie.number)
    assert those(claims, Verdict.FAIL) == [(lie.claim, where)]
    cannot = [(each, f"round {lie.number}" if each in OF_A_ROUND else where) for each in lie.cannot]
    assert those(claims, Verdict.CANNOT_CHECK) == cannot
    assert [lie.says in each.evidence for each in claims if each.verdict is Verdict.FAIL] == [True]
    assert exit_code(claims) == 4


@pytest.mark.parametrize("name", LIES)
def test_the_same_run_without_the_lie_passes(run: Run, name: str) -> None:
    LIES[name].make(run, False)
    claims = run.claims()
    assert [each for each in claims if each.verdict is not Verdict.PASS] == []
    assert exit_code(claims) == 0


def test_every_claim_has_lies() -> None:
    every = (
        "card site parent budget record cohort update consents twins terms aggregate weights withdrawals remediation"
    )
    assert {each.claim for each in LIES.values()} == set(every.split())


@pytest.mark.parametrize("same", [True, False])
def test_a_retraining_that_made_the_very_bytes_of_before_is_none(run: Run, same: bool) -> None:
    """It started from before what was withdrawn, and ended with the weights that hold it."""
    run.whole()
    patient, site = run.scene.patients[0][0], run.scene.sites[0]
    patient.client.consents.revoke(Slot(patient.client.address, patient.twin, site.address, 0))
    run.scene.coordinator.models.remediate(run.model, 1, True, "so that it is out of the next")
    run.open()
    run.finish(aggregate=run.files[1, None] if same else None)
    expected = [("withdrawals", "round 1"), ("withdrawals", "round 2")]
    assert those(run.claims(), Verdict.FAIL) == (expected if same else [])


def test_a_site_that_never_was_enrolled_had_no_consents_either(run: Run) -> None:
    """Both claims are about it; no ledger can tell the one lie without the other."""
    site = run.scene.sites[0]
    run.whole()
    assert exit_code(run.claims()) == 0
    run.rewrite(lambda told: [] if told.event == enrolled(run, site) else [told])
    assert those(run.claims(), Verdict.FAIL) == [("site", about(site)), ("consents", about(site))]


def enrolled(run: Run, site: Client) -> Enrolled:
    """What the ledger told when the site was enrolled."""
    events = (each.event for each in run.ledger.history().logged)
    return next(each for each in events if isinstance(each, Enrolled) and each.member == site.address)

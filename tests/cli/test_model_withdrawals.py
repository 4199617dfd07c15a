"""`model affected`, `model remediate` and `twin models`: a withdrawal, what it touches, and what became of that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.models import Run, Study, weights
from tests.cli.twins import complaint, new_twin, said

pytestmark = pytest.mark.anvil


@dataclass(frozen=True)
class Withdrawn:
    """A finalised model whose south trained on a twin of the patient's, who has withdrawn since."""

    model: str
    twin: int


@pytest.fixture
def withdrawn(study: Study) -> Withdrawn:
    twin = new_twin(study.world, hours=0).number
    slot = study.consent("patient", twin, "south")
    model = study.finalised()
    with study.client("patient") as patient:
        patient.consents.revoke(slot)
    return Withdrawn(model, twin)


def standings(dtledger: Run, case: Withdrawn) -> list[tuple[str, int, str]]:
    told = said(dtledger("twin", "models", case.twin, "--json", "--key", "patient"))
    return [(each["name"], each["round"], each["standing"]) for each in told["affected"]]


def test_a_site_sees_what_is_affected_and_that_others_may_see_more(dtledger: Run, withdrawn: Withdrawn) -> None:
    result = dtledger("model", "affected", withdrawn.model, "--key", "south")
    assert result.exit_code == 6
    (line,) = result.stdout.splitlines()[1:]
    assert line.split() == ["1", "affected", "twin", f"{withdrawn.twin}", "(REVOKED)"]
    assert "1 update of north was not shown to you" in result.stderr


def test_an_auditor_to_whom_all_is_opened_sees_all(dtledger: Run, study: Study, withdrawn: Withdrawn) -> None:
    words = [word for site in ("north", "south") for word in ("--opening", study.opening(withdrawn.model, site))]
    told = said(dtledger("model", "affected", withdrawn.model, *words, "--json", "--key", "auditor"))
    assert (told["schema"], told["unseen"]) == ("dtledger/model-affected/1", 0)
    (affected,) = told["rounds"]
    assert (affected["standing"], affected["remediated"], affected["remediation"]) == ("OPEN", False, None)
    assert [(each["twin"], each["site"]["name"]) for each in affected["withdrawals"]] == [(withdrawn.twin, "south")]


def test_an_acceptance_is_recorded_and_the_patient_sees_it(dtledger: Run, withdrawn: Withdrawn) -> None:
    assert standings(dtledger, withdrawn) == [(withdrawn.model, 1, "OPEN")]
    words = ("model", "remediate", withdrawn.model, "--first", "1", "--accept", "--reason", "in use until May")
    looked = dtledger(*words, "--dry-run", "--key", "coordinator")
    assert (looked.exit_code, looked.stdout) == (0, "")
    assert f"what round 1 of {withdrawn.model} made stays in use" in looked.stderr
    assert standings(dtledger, withdrawn) == [(withdrawn.model, 1, "OPEN")]
    told = said(dtledger(*words, "--yes", "--json", "--key", "coordinator"))
    assert (told["schema"], told["last"], told["retrained"]) == ("dtledger/model-remediation/1", 1, False)
    assert standings(dtledger, withdrawn) == [(withdrawn.model, 1, "ACCEPTED")]
    shown = dtledger("twin", "models", withdrawn.twin, "--key", "patient").stdout
    assert "withdrawn: accepted" in shown


def test_a_retraining_is_done_with_the_next_round(dtledger: Run, study: Study, withdrawn: Withdrawn) -> None:
    study.finalised(study.committed(study.opened(withdrawn.model)))
    shown = dtledger("twin", "models", withdrawn.twin, "--key", "patient").stdout
    assert f"{withdrawn.model} round 2 is built on these: affected" in shown
    words = ("model", "remediate", withdrawn.model, "--first", "1", "--retrain", "--reason", "without who withdrew")
    assert "to be retrained" in dtledger(*words, "--yes", "--key", "coordinator").stdout
    assert [each for *_, each in standings(dtledger, withdrawn)] == ["UNDER_WAY"] * 2
    study.finalised(study.committed(study.opened(withdrawn.model)))
    assert [each for *_, each in standings(dtledger, withdrawn)] == ["RETRAINED"] * 2


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (("--first", "2"), 1, "Round 2"),
        (("--first", "0"), 2, "range"),
        (("--reason", ""), 2, "A reason"),
        (("--key", "north"), 1, "is no COORDINATOR"),
    ],
)
def test_a_remediation_with_one_fault_is_not_recorded(
    dtledger: Run, study: Study, words: tuple[str, ...], exit_code: int, told: str
) -> None:
    good = (
        "model",
        "remediate",
        study.finalised(),
        "--first",
        "1",
        "--accept",
        "--reason",
        "why",
        "--key",
        "coordinator",
    )
    refused = complaint(dtledger(*good, *words, "--yes", "--json"), exit_code)
    assert told in refused["message"] + refused["hint"]
    assert dtledger(*good, "--yes").exit_code == 0


def test_who_verifies_weights_hears_of_a_remediation(dtledger: Run, study: Study, tmp_path: Path) -> None:
    name, file, out = study.finalised(), tmp_path / "weights.bin", tmp_path / "release.dsse.json"
    file.write_bytes(weights(1))
    words = ("--round", "1", "--weights", file, "--out", out, "--yes", "--key", "coordinator")
    assert dtledger("model", "export", name, *words).exit_code == 0
    assert said(dtledger("model", "verify", out, "--ledger", "--json"))["remediations"] == []
    for how, told in (("--accept", "it stays in use"), ("--retrain", "it is to be retrained from before")):
        remediate = ("model", "remediate", name, "--first", "1", how, "--reason", "why", "--yes")
        assert dtledger(*remediate, "--key", "coordinator").exit_code == 0
        result = dtledger("model", "verify", out, "--ledger")
        assert (result.exit_code, told in result.stderr) == (0, True)
    assert "rounds 1 to 1: to be retrained" in dtledger("model", "show", name, "--key", "auditor").stdout


def test_a_remediation_says_which_of_two_it_is(dtledger: Run, study: Study) -> None:
    words = ("model", "remediate", study.finalised(), "--first", "1", "--reason", "why", "--key", "coordinator")
    assert dtledger(*words, "--yes").exit_code == 2
    assert dtledger(*words, "--yes", "--accept").exit_code == 0

"""`audit report`: the audit of a real run on one page; a lie shows on it, and its mending too."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.models import SITES, Run, Study
from tests.report.test_page import Page

from .conftest import DevnetHome
from .twins import new_twin

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def model(study: Study) -> str:
    return study.finalised()


@pytest.fixture(scope="module")
def openings(study: Study, model: str) -> list[str]:
    return [word for site in SITES for word in ("--opening", study.opening(model, site))]


@pytest.fixture
def report(dtledger: Run, model: str, openings: list[str]) -> Run:
    def run(*words: object) -> Result:
        return dtledger("audit", "report", model, *openings, "--key", "auditor", *words)

    return run


def test_a_run_as_it_is_passes_and_tells_whose_data_went_where(report: Run, study: Study, tmp_path: Path) -> None:
    files, out = study.files(tmp_path / "received"), tmp_path / "report.html"
    result = report("--files", files, "--to", out)
    assert result.exit_code == 0, result.output
    page = Page(out.read_text())
    for words in (
        "Every claim was checked and holds.",
        "north, round 1",
        "aggregate of round 1",
        "registered the model",
    ):
        assert words in page.text
    told = json.loads(report("--files", files, "--json").stdout)
    assert (told["schema"], told["verdict"]) == ("dtledger/audit-report/1", "pass")
    twins = {f"twin {twin}, round 1" for site in SITES for twin in study.twins(site)}
    assert {each["what"] for each in told["access"]} == twins
    assert len(told["lineage"]["edges"]) == 4
    assert told["timeline"][0]["what"].endswith("registered the model")
    assert sorted(told["timeline"], key=lambda each: each["block"]) == told["timeline"]


def test_a_changed_file_is_on_the_page_and_gone_when_it_is_mended(report: Run, study: Study, tmp_path: Path) -> None:
    files = study.files(tmp_path / "received")
    file = files / "1" / "north.bin"
    whole = file.read_bytes()
    file.write_bytes(whole + b"!")
    result = report("--files", files)
    assert result.exit_code == 4
    assert "Something is wrong" in Page(result.stdout).text
    file.write_bytes(whole)
    assert report("--files", files).exit_code == 0


def test_without_files_it_says_what_could_not_be_checked(report: Run) -> None:
    result = report()
    assert result.exit_code == 6
    assert "No claim fails, and not every claim could be checked." in Page(result.stdout).text


def test_the_command_on_the_page_makes_it_again(report: Run, dtledger: Run, study: Study, tmp_path: Path) -> None:
    told = json.loads(report("--files", study.files(tmp_path / "received"), "--json").stdout)
    words = shlex.split(told["command"])[1:]
    again = json.loads(dtledger(*words, "--key", "auditor", "--json").stdout)
    assert (again["claims"], again["command"]) == (told["claims"], told["command"])


def test_a_twin_has_a_page_too_that_tells_its_owner_who_looked(
    devnet_home: DevnetHome, study: Study, dtledger: Run, tmp_path: Path
) -> None:
    twin, out = new_twin(devnet_home, hours=1), tmp_path / "twin.html"
    twin.grant()
    with devnet_home.client("cardiology") as clinician:
        clinician.read(twin.number, "glucose", "TREAT")
    words = ("audit", "report", "--twin", twin.number, "--key")
    result = dtledger(*words, "patient", "--to", out)
    assert result.exit_code in (0, 6), result.output
    text = Page(out.read_text()).text
    for each in (f"Audit of twin {twin.number}", f"{twin.number}/cardiology/0", "granted", "snapshots by gateway"):
        assert each in text
    told = json.loads(dtledger(*words, "patient", "--json").stdout)
    assert "cardiology" in {each["who"] for each in told["access"]}
    shown = dtledger(*words, "patient", "--reveal", "glucose", "--json")
    assert (shown.exit_code, json.loads(shown.stdout)["verdict"]) == (0, "pass"), shown.output
    other = json.loads(dtledger(*words, "auditor", "--json").stdout)
    assert other["access"] == []
    assert any("owner alone" in each for each in other["notes"])


def test_a_model_or_a_twin_is_named_and_not_both(dtledger: Run) -> None:
    assert dtledger("audit", "report", "--key", "auditor").exit_code == 2
    assert dtledger("audit", "report", "a-model", "--twin", "1", "--key", "auditor").exit_code == 2

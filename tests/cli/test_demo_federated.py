"""The federated demo: hospitals train, a patient withdraws, a poisoned hospital is bounded, an auditor looks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dtledger import federated
from dtledger._cli import main
from dtledger.federated.hospitals import patients
from tests.cli import printed

Told = dict[str, Any]


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("demo") / "home"
    yield folder
    run("demo", "--clean", "--home", folder)


@pytest.fixture(scope="module")
def told(home: Path) -> Told:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DTLEDGER_DATA", raising=False)
        patch.setattr(patients, "PER_HOSPITAL", 12)
        result = run("demo", "--federated", "--json", "--home", home)
    assert result.exit_code == 0, result.stderr
    story: Told = json.loads(result.stdout)
    return story


def steps(told: Told, name: str) -> list[Told]:
    return [each for each in told["steps"] if each["step"] == name]


@pytest.mark.anvil
@pytest.mark.slow
class TestTheStory:
    def test_tells_every_step_in_order(self, told: Told) -> None:
        assert [each["step"] for each in told["steps"]] == [
            "chain", "members", "patients", "model", "train", "withdraw", "train", "train", "audit", "found", "measure",
        ]  # fmt: skip

    def test_lacks_whoever_withdrew_from_the_next_round_on(self, told: Told) -> None:
        assert [each["cohorts"] for each in steps(told, "train")] == [[7, 7, 7, 7], [6, 7, 7, 7], [6, 7, 7, 7]]
        assert steps(told, "found")[0]["rounds"] == [1, 2, 3, 4, 5]

    def test_bounds_and_names_the_poisoned_hospital_in_its_round(self, told: Told) -> None:
        assert [each["bounded"] for each in steps(told, "train")] == [{}, {"10": ["west"]}, {}]

    def test_ends_with_claims_that_pass_and_a_model_that_is_of_use(self, told: Told) -> None:
        assert steps(told, "audit")[0]["failed"] == 0
        assert told["federated"] >= 0.8

    def test_names_commands_that_work(self, told: Told) -> None:
        for command in told["next"][:2]:
            result = run(*printed.words(command))
            assert result.exit_code == 0, result.stderr

    def test_told_again_goes_on_where_it_was(self, told: Told, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DTLEDGER_DATA", raising=False)
        monkeypatch.setattr(patients, "PER_HOSPITAL", 12)
        result = run("demo", "--federated", "--json", "--home", home)
        again = json.loads(result.stdout)
        assert [each["step"] for each in again["steps"]] == [
            "chain", "members", "patients", "model", "audit", "found", "measure",
        ]  # fmt: skip
        assert again["federated"] == told["federated"]

    def test_has_a_home_of_its_own(self, told: Told, home: Path) -> None:
        result = run("demo", "--home", home)
        assert result.exit_code == 2
        assert "told with --federated" in result.stderr


def test_without_its_libraries_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(federated, "find_spec", lambda name: None if name == "flwr" else object())
    result = run("demo", "--federated", "--home", tmp_path / "home")
    assert result.exit_code == 2
    assert 'pip install "dtledger[federated]"' in result.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("words", "says"), [(["--services"], "two stories"), (["--input", "a.csv"], "brings its own patients")], ids=str
)
def test_it_goes_with_no_other_story(tmp_path: Path, words: list[str], says: str) -> None:
    result = run("demo", "--federated", *words, "--home", tmp_path / "home")
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_folder_without_its_data_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTLEDGER_DATA", str(tmp_path))
    result = run("demo", "--federated", "--home", tmp_path / "home")
    assert result.exit_code == 2
    assert "heart_disease" in result.stderr
    assert not (tmp_path / "home").exists()

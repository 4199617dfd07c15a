"""`model export` and `model verify`: weights are handed on with where they come from, and checked by who has both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.models import Run, Study, weights
from tests.cli.twins import address_of, complaint, said

pytestmark = pytest.mark.anvil


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "weights.bin").write_bytes(weights(1))
    return tmp_path


@pytest.fixture
def released(dtledger: Run, study: Study, folder: Path) -> Path:
    """A release beside its weights."""
    path = folder / "release.dsse.json"
    words = ("--weights", folder / "weights.bin", "--out", path, "--yes", "--key", "coordinator")
    assert dtledger("model", "export", study.finalised(), "--round", "1", *words).exit_code == 0
    return path


def test_weights_are_signed_for_whoever_uses_them(dtledger: Run, study: Study, folder: Path) -> None:
    name, out = study.finalised(), folder / "r.dsse.json"
    words = ("model", "export", name, "--round", "1", "--weights", folder / "weights.bin", "--out", out)
    looked = dtledger(*words, "--dry-run", "--key", "coordinator")
    assert (looked.exit_code, out.exists()) == (0, False)
    told = said(dtledger(*words, "--yes", "--json", "--key", "coordinator"))
    assert (told["schema"], told["name"], told["round"]) == ("dtledger/model-release/1", name, 1)
    assert told["cohort"] == sum(each["cohort"] for each in told["updates"]) >= 4
    of = f"as what round 1 of {name} was made into: of 2 updates, on {told['cohort']} twins"
    assert of in looked.stderr
    assert [each["site"]["name"] for each in told["updates"]] == ["north", "south"]
    envelope = json.loads(out.read_text())
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    assert [each["keyid"] for each in envelope["signatures"]] == [address_of(study.world, "coordinator")]
    refused = complaint(dtledger(*words, "--yes", "--json", "--key", "coordinator"), 2)
    assert "There is a file" in refused["message"]
    assert dtledger(*words, "--yes", "--replace", "--key", "coordinator").exit_code == 0


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (("--round", "2"), 2, "not finalised"),
        (("--key", "north"), 1, "does not coordinate"),
        (("--weights", "OTHER"), 2, "none of the files is the aggregate"),
        (("--weights", "SAME"), 2, "Two files have one name"),
    ],
)
def test_a_release_with_one_fault_is_not_signed(
    dtledger: Run, study: Study, folder: Path, words: tuple[str, ...], exit_code: int, told: str
) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "weights.bin").write_bytes(weights(1))
    (folder / "other.bin").write_bytes(b"other")
    places = {"OTHER": folder / "other.bin", "SAME": folder / "other" / "weights.bin"}
    good = ("model", "export", study.finalised(), "--round", "1", "--key", "coordinator")
    files = () if "OTHER" in words else ("--weights", folder / "weights.bin")
    refused = complaint(
        dtledger(*good, *files, *(places.get(each, each) for each in words), "--dry-run", "--json"), exit_code
    )
    assert told in refused["message"] + refused["hint"]
    assert dtledger(*good, "--weights", folder / "weights.bin", "--dry-run").exit_code == 0


def test_whoever_has_weights_and_release_checks_them_without_a_ledger(
    dtledger: Run, released: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nowhere = tmp_path_factory.mktemp("home") / "none"
    result = dtledger("model", "verify", released, "--home", nowhere, "--rpc-url", "http://127.0.0.1:1")
    assert result.exit_code == 0, result.output
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [["pass", "signature"], ["pass", "file"]]
    assert not nowhere.exists()


def test_with_the_ledger_it_is_compared_with_what_stands_there(dtledger: Run, released: Path) -> None:
    told = said(dtledger("model", "verify", released, "--by", "coordinator", "--ledger", "--json"))
    assert (told["schema"], told["fail"], told["cannot_check"], told["ledger"]) == (
        "dtledger/model-verified/1", 0, 0, True,
    )  # fmt: skip
    assert [each["claim"] for each in told["claims"]] == [
        "signature", "file", "deployment", "coordinator", "round", "updates",
    ]  # fmt: skip


def test_changed_and_missing_weights_and_another_signer_are_told_apart(dtledger: Run, released: Path) -> None:
    assert dtledger("model", "verify", released, "--by", "north").exit_code == 4
    file = released.with_name("weights.bin")
    kept = file.read_bytes()
    file.write_bytes(kept + b"!")
    result = dtledger("model", "verify", released)
    assert (result.exit_code, "fail          file" in result.stdout) == (4, True)
    file.unlink()
    assert dtledger("model", "verify", released).exit_code == 6
    elsewhere = released.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "weights.bin").write_bytes(kept)
    assert dtledger("model", "verify", released, "--files", elsewhere).exit_code == 0


def test_a_file_that_is_no_release_fails_and_is_no_crash(dtledger: Run, released: Path) -> None:
    released.write_text("{}")
    result = dtledger("model", "verify", released, "--json")
    assert result.exit_code == 4
    assert json.loads(result.stdout)["fail"] == 1

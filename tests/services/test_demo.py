"""`demo --services`: every part a process of its own, and what a patient does there with an empty account."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dtledger._backend.anvil import Anvil
from dtledger._backend.kubo_node import find_kubo
from dtledger._cli import main
from dtledger._cli.demo.hospital import PATIENT, Hospital
from dtledger.home import Home
from tests.cli import printed

pytestmark = [pytest.mark.anvil, pytest.mark.slow]


def run(*words: str | Path, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False, env=env)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("services") / "home"
    yield folder
    assert run("demo", "--clean", "--home", folder).exit_code == 0
    assert not folder.exists()


@pytest.fixture(scope="module")
def told(home: Path) -> dict[str, Any]:
    result = run("demo", "--services", "--json", "--home", home)
    assert result.exit_code == 0, result.stderr
    story: dict[str, Any] = json.loads(result.stdout)
    return story


def step(told: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in told["steps"] if each["step"] == name]
    return dict(found)


def test_it_is_told_by_real_processes(told: dict[str, Any], home: Path) -> None:
    hospital = Hospital(Home(home, "test"))
    assert {each.url for each in (*hospital.custodians, hospital.gateway)} != {hospital.devnet.anvil.url}
    assert step(told, "chain")["kubo"] is (find_kubo() is not None)
    assert step(told, "send")["kept"] == step(told, "read")["readings"] == 288


def test_the_commands_that_it_ends_with_can_be_run_as_they_are_printed(told: dict[str, Any], tmp_path: Path) -> None:
    for command in told["next"][:-1]:  # the last one ends the story
        done = run(*printed.words(command.replace("ann.backup", str(tmp_path / "ann.backup"))))
        assert done.exit_code == 0, (command, done.stderr)


def test_two_of_three_custodians_are_enough(told: dict[str, Any]) -> None:
    assert (step(told, "read")["answered"], step(told, "outage")["answered"]) == (3, 2)
    assert step(told, "outage")["readings"] == 288


def test_the_twin_says_what_it_expects_and_does_not_believe_what_cannot_be(told: dict[str, Any]) -> None:
    assert 2 < step(told, "forecast")["mean"] < 20
    assert not step(told, "forecast")["unverified"]
    assert step(told, "lie")["quality"] == "suspect"
    assert step(told, "lie")["why"].startswith("rate: ")


def test_revoked_means_refused_and_each_custodian_signs_it(told: dict[str, Any]) -> None:
    assert (step(told, "revoke")["in_force"], step(told, "revoke")["refusals"]) == (True, 3)
    assert step(told, "refused")["reason"] == "REVOKED"


def test_what_the_patient_writes_herself_the_gateway_carries_too(
    told: dict[str, Any], home: Path, tmp_path: Path
) -> None:
    diary = tmp_path / "weight.csv"
    diary.write_text("time,weight\n2026-01-01T08:00:00Z,71.5\n2026-01-02T08:00:00Z,71\n")
    laptop = ("--key", PATIENT, "--home", home / "laptop")
    category = ("--category", "weight")
    put = run("snapshot", "put", diary, "--twin", str(told["twin"]), *category, "--unit", "kg", "--json", *laptop)
    assert put.exit_code == 0, put.stderr
    read = run("twin", "read", str(told["twin"]), *category, "--purpose", "PATRQT", "--json", *laptop)
    assert [each["value"] for each in json.loads(read.stdout)["readings"]] == [71.5, 71]


def test_the_patient_paid_nothing(told: dict[str, Any], home: Path) -> None:
    hospital = Hospital(Home(home, "test"))
    key = hospital.devnet.__class__(hospital.laptop).key(PATIENT)
    assert balance(hospital.devnet.anvil, key.address) == 0


def balance(anvil: Anvil, address: str) -> int:
    import requests

    asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": [address, "latest"]}
    return int(requests.post(anvil.url, json=asked, timeout=10).json()["result"], 16)


def test_a_laptop_that_is_lost_comes_back_from_a_backup_and_reads_everything(
    told: dict[str, Any], home: Path, tmp_path: Path
) -> None:
    laptop, saved = home / "laptop", tmp_path / "ann.backup"
    password = tmp_path / "password"
    shutil.copy(laptop / "keys" / "devnet-password", password)
    assert run("key", "backup", PATIENT, "--to", saved, "--home", laptop).exit_code == 0
    shutil.rmtree(laptop)
    env = {"DTLEDGER_PASSWORD_FILE": str(password)}
    restored = run("key", "restore", saved, "--home", laptop, env=env)
    assert restored.exit_code == 0, restored.stderr
    words = ("twin", "read", str(told["twin"]), "--category", "glucose", "--purpose", "PATRQT")
    read = run(*words, "--json", "--key", PATIENT, "--home", laptop, env=env)
    assert read.exit_code == 0, read.stderr
    assert len(json.loads(read.stdout)["readings"]) == 289
    looked = run("twin", "access", str(told["twin"]), "--json", "--key", PATIENT, "--home", laptop, env=env)
    assert "cardiology" in looked.stdout, "contacts are in it too"


def test_a_home_told_one_way_is_not_told_the_other(told: dict[str, Any], home: Path) -> None:
    refused = run("demo", "--home", home)
    assert (refused.exit_code, "--services" in refused.stderr) == (2, True)
    assert run("demo", "--services", "--input", "x.csv", "--home", home).exit_code == 2

"""`devnet`: up, status, down; a world that can be stopped and resumed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dtledger._cli import main

pytestmark = pytest.mark.anvil


@pytest.fixture
def devnet(tmp_path: Path) -> Iterator[Callable[..., Result]]:
    def run(*words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--home", str(tmp_path / "home")], catch_exceptions=False)

    yield run
    run("devnet", "down")


def test_it_comes_up_stops_and_resumes_as_the_same_chain(devnet: Callable[..., Result]) -> None:
    up = json.loads(devnet("devnet", "up", "--json").stdout)
    assert up["gas"] > 0
    running = json.loads(devnet("devnet", "status", "--json").stdout)
    assert running["running"]
    assert running["url"] == up["url"]
    assert devnet("devnet", "down").exit_code == 0
    stopped = devnet("devnet", "status")
    assert "is stopped" in stopped.stdout
    again = json.loads(devnet("devnet", "up", "--json").stdout)
    assert (again["deployment"], again["gas"]) == (up["deployment"], 0)


def test_a_key_made_later_is_funded_by_the_next_up(devnet: Callable[..., Result]) -> None:
    devnet("devnet", "up")
    assert devnet("key", "new", "patient").exit_code == 0
    poor = devnet("twin", "mint", "--key", "patient", "--minter", "operator")
    assert poor.exit_code == 1
    assert "pay" in poor.stderr
    devnet("devnet", "up")
    rich = devnet("twin", "mint", "--key", "patient", "--minter", "operator")
    assert rich.exit_code == 0, rich.stderr


def test_what_its_profile_was_told_meanwhile_stays(devnet: Callable[..., Result], tmp_path: Path) -> None:
    devnet("devnet", "up")
    other = f"directory:{tmp_path / 'elsewhere'}"
    assert devnet("config", "set", "store", other, "--profile", "devnet").exit_code == 0
    devnet("devnet", "up")
    told = json.loads(devnet("config", "show", "--json").stdout)
    said = {each["name"]: each["value"] for each in told["settings"]}
    assert (said["store"], said["custodians"]) == (other, "embedded")


def test_status_without_a_devnet_says_how_to_start_one(devnet: Callable[..., Result]) -> None:
    result = devnet("devnet", "status")
    assert result.exit_code == 2
    assert "devnet up" in result.stderr

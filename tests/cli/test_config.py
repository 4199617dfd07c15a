"""`config`: what is set, by what, and setting it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .bare import Run, runner


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(home, monkeypatch)


def settings(run: Run, *words: str) -> dict[str, tuple[str | None, str]]:
    """Each setting's value and source, as --json has them."""
    shown = json.loads(run("config", "show", "--json", *words).stdout)
    assert shown["schema"] == "dtledger/config/1"
    return {each["name"]: (each["value"], each["source"]) for each in shown["settings"]}


def test_show_says_each_value_and_what_set_it(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    (home / "config.toml").write_text('tz = "Europe/Vienna"\n')
    monkeypatch.setenv("ETH_RPC_URL", "http://127.0.0.1:9999")
    (home.parent / ".dtledger.toml").write_text('unit = "mg/dL"\n')
    found = settings(run, "--key", "ann")
    assert found["tz"] == ("Europe/Vienna", f"{home}/config.toml, line 1")
    assert found["rpc_url"] == ("http://127.0.0.1:9999", "environment ETH_RPC_URL")
    assert found["unit"] == ("mg/dL", f"{home.parent}/.dtledger.toml, line 1")
    assert found["key"] == ("ann", "option --key")
    assert found["max_head_age"] == ("60", "default")
    assert found["category"] == (None, "not set")


def test_show_names_the_home_and_every_setting_to_people(run: Run, home: Path) -> None:
    result = run("config", "show")
    assert result.exit_code == 0
    assert str(home) in result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines()][:3] == ["profile", "rpc_url", "store"]
    assert not home.exists()


def test_show_can_be_asked_for_some_settings(run: Run) -> None:
    assert list(settings(run, "tz", "unit")) == ["tz", "unit"]
    result = run("config", "show", "zone")
    assert result.exit_code == 2
    assert "Known: profile" in result.stderr


def test_credentials_in_addresses_are_not_shown(run: Run) -> None:
    result = run("config", "show", "--rpc-url", "https://ann:hunter2@node.example/v3/0123456789abcdef0123")
    assert "hunter2" not in result.output
    assert "0123456789abcdef" not in result.output
    assert "https://***@node.example/v3/***" in result.stdout


def test_set_writes_the_home_file_and_says_where(run: Run, home: Path) -> None:
    result = run("config", "set", "tz", "Asia/Tokyo", "--json")
    assert json.loads(result.stdout) == {
        "schema": "dtledger/config-set/1",
        "setting": "tz",
        "file": f"{home}/config.toml",
        "dry_run": False,
        "overruled_by": None,
    }
    assert settings(run)["tz"] == ("Asia/Tokyo", f"{home}/config.toml, line 1")


def test_set_with_a_profile_begins_or_changes_that_profile(run: Run, home: Path) -> None:
    result = run("config", "set", "rpc_url", "https://node.example", "--profile", "hospital")
    assert result.stdout == f"profiles.hospital.rpc_url is set in {home}/config.toml.\n"
    assert run("config", "set", "profiles.hospital.tz", "Asia/Tokyo").exit_code == 0
    assert settings(run, "--profile", "hospital")["rpc_url"][0] == "https://node.example"
    assert settings(run)["rpc_url"][0] == "http://127.0.0.1:8545"
    assert run("config", "set", "profile", "hospital").exit_code == 0
    assert settings(run)["tz"][0] == "Asia/Tokyo"


def test_a_dry_run_checks_and_writes_nothing(run: Run, home: Path) -> None:
    result = run("config", "set", "unit", "mg/dl", "--dry-run")
    assert result.stdout == f"unit would be set in {home}/config.toml.\n"
    assert not home.exists()
    assert run("config", "set", "unit", "furlong", "--dry-run").exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tz", "Mars/Olympus"), "time zone"),
        (("zone", "UTC"), "There is no setting"),
        (("rpc_url", "http://127.0.0.1:1"), "belongs to a profile"),
        (("profile", "clinic"), "There is no profile"),
    ],
)
def test_what_cannot_be_set_is_refused_and_nothing_is_written(
    run: Run, home: Path, words: tuple[str, str], said: str
) -> None:
    result = run("config", "set", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (home / "config.toml").exists()


def test_set_warns_when_something_else_counts_before_it(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTLEDGER_TZ", "UTC")
    result = run("config", "set", "tz", "Asia/Tokyo")
    assert result.exit_code == 0
    assert "environment DTLEDGER_TZ says otherwise" in result.stderr
    monkeypatch.delenv("DTLEDGER_TZ")
    assert run("config", "set", "tz", "Asia/Seoul").stderr == ""
    run("config", "set", "tz", "UTC", "--profile", "devnet")
    above = json.loads(run("config", "set", "tz", "Asia/Tokyo", "--json").stdout)
    assert above["overruled_by"].startswith(f"{home}/config.toml, line ")


def test_a_file_that_is_no_configuration_is_named_with_its_line(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text('tz = "UTC"\ncolour = "red"\n')
    for words in (("show",), ("set", "tz", "UTC")):
        result = run("config", *words)
        assert result.exit_code == 2
        assert f"{home}/config.toml, line 2" in result.stderr

"""`completion`: the shells' scripts, and what they are answered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .bare import Run, runner

Complete = Callable[..., list[str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(home, monkeypatch)


@pytest.fixture
def complete(run: Run) -> Complete:
    """What the shell is offered for the last of these words."""

    def offered(*words: str) -> list[str]:
        environment = {
            **os.environ,
            "_DTLEDGER_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(["dtledger", *words]),
            "COMP_CWORD": str(len(words)),
        }
        command = [sys.executable, "-m", "dtledger"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return [line.partition(",")[2] for line in done.stdout.split()]

    return offered


@pytest.mark.parametrize(
    ("shell", "begins"),
    [("bash", "_dtledger_completion()"), ("zsh", "#compdef dtledger"), ("fish", "function _dtledger_completion")],
)
def test_each_shell_gets_its_script(run: Run, shell: str, begins: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert result.stdout.startswith(begins)
    assert "_DTLEDGER_COMPLETE" in result.stdout
    told = json.loads(run("completion", shell, "--json").stdout)
    assert (told["schema"], told["shell"]) == ("dtledger/completion/1", shell)
    assert told["script"].strip() == result.stdout.strip()


def test_another_shell_is_a_usage_error(run: Run) -> None:
    result = run("completion", "tcsh")
    assert result.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr


def test_the_help_says_how_to_have_it_always(run: Run) -> None:
    assert "~/.config/fish/completions/dtledger.fish" in run("completion", "--help").stdout


@pytest.mark.slow
def test_nouns_verbs_and_options_are_offered(complete: Complete) -> None:
    assert complete("ke") == ["key"]
    assert complete("key", "n") == ["new"]
    assert complete("config", "set", "t") == ["tz", "twin"]
    assert complete("help", "exit") == ["exit-codes"]


@pytest.mark.slow
def test_the_homes_own_names_are_offered(complete: Complete, home: Path) -> None:
    (home / "keys").mkdir(parents=True, mode=0o700)
    (home / "contacts").mkdir()
    for name in ("keys/ann.json", "keys/bob.json", "contacts/alma.json", "contacts/.alma.json.lock"):
        (home / name).touch()
    (home / "config.toml").write_text("[profiles.hospital]\n")
    assert complete("key", "use", "") == ["ann", "bob"]
    assert complete("doctor", "--key", "b") == ["bob"]
    assert complete("contact", "remove", "a") == ["alma"]
    assert complete("doctor", "--profile", "h") == ["hospital"]


@pytest.mark.slow
def test_a_home_that_cannot_be_read_offers_nothing_and_says_nothing(complete: Complete, home: Path) -> None:
    (home / "keys").mkdir(parents=True, mode=0o755)
    (home / "keys" / "ann.json").touch()
    assert complete("key", "use", "") == []
    (home / "keys").chmod(0o700)
    assert complete("key", "use", "") == ["ann"]

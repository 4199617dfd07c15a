"""Commands run in a home of their own, with no chain; and at a terminal, where questions can be answered."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dtledger._cli import main

Run = Callable[..., Result]

_AT_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


def runner(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands with that home, nothing of this machine's environment, and no terminal."""
    for name in os.environ:
        if name.startswith(("DTLEDGER_", "ETH_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DTLEDGER_HOME", str(home))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(home.parent)

    def run(*words: str | Path) -> Result:
        return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)

    return run


def at_terminal(home: Path, *words: str | Path, typed: str) -> tuple[int, str]:
    """Exit code and everything shown, of a process at a terminal where `typed` is typed."""
    done = subprocess.run(
        [sys.executable, "-c", _AT_TERMINAL, sys.executable, "-m", "dtledger", *map(str, words), "--home", str(home)],
        input=typed,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout


def answers(monkeypatch: pytest.MonkeyPatch, module: str, *given: str) -> list[str]:
    """Lets `given` be the answers to hidden questions of a command's module; returns the questions, as asked."""
    asked: list[str] = []
    waiting = iter(given)

    def ask(question: str) -> str:
        asked.append(question)
        return next(waiting)

    monkeypatch.setattr(f"dtledger._cli.{module}.ask_secret", ask)
    return asked

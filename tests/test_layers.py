"""Modules import only to their right, and the core does no I/O. The contracts stand in pyproject.toml."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package and its contracts, to be broken."""
    shutil.copytree(ROOT / "dtledger", tmp_path / "dtledger", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_no_module_imports_to_its_left() -> None:
    linted = lint(ROOT)
    assert linted.returncode == 0, linted.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("types.py", "from .encoding import sha256", "dtledger.types is not allowed to import dtledger.encoding"),
        ("encoding.py", "import web3", "dtledger.encoding is not allowed to import web3"),
        ("stray.py", "", "The following modules are not listed as layers"),
        ("audit/chain.py", "import requests", "dtledger.audit is not allowed to import requests"),
    ],
    ids=["an import to the left", "the core reaching a chain", "a module that no layer names", "an audit that asks"],
)
def test_what_breaks_the_direction_is_found(copy: Path, module: str, line: str, broken: str) -> None:
    with (copy / "dtledger" / module).open("a") as file:
        file.write(f"\n{line}\n")
    linted = lint(copy)
    assert linted.returncode != 0
    assert broken in linted.stdout

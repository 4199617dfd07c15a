"""What did not run is said, with what it lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = """
import pytest

@pytest.mark.real_data
def test_on_recordings(): pass

@pytest.mark.kubo
def test_on_kubo(): pytest.skip("there is no kubo")

def test_on_nothing(): pass
"""
INI = "[pytest]\nmarkers =\n  real_data\n  kubo\n"


def run(folder: Path, data: str) -> str:
    """The closing lines of pytest over three tests, with DTLEDGER_DATA as given."""
    (folder / "test_three.py").write_text(TESTS)
    (folder / "pytest.ini").write_text(INI)
    environment = os.environ | {"DTLEDGER_DATA": data, "PYTHONPATH": str(ROOT), "PY_COLORS": "0"}
    command = [sys.executable, "-m", "pytest", "-p", "tests.groups", "-p", "no:cacheprovider", folder]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return "\n".join(ran.stdout.splitlines()[-3:])


@pytest.mark.slow
def test_without_recordings_one_line_counts_the_tests_that_need_them(tmp_path: Path) -> None:
    for nowhere in ("", str(tmp_path / "missing")):
        said = run(tmp_path, nowhere)
        assert "1 real_data test did not run, for want of recordings: set DTLEDGER_DATA" in said
        assert "1 kubo test did not run, for want of a kubo daemon" in said
        assert "1 passed, 2 skipped" in said.splitlines()[-1]


@pytest.mark.slow
def test_with_recordings_they_run(tmp_path: Path) -> None:
    said = run(tmp_path, str(tmp_path))
    assert "real_data" not in said
    assert "2 passed, 1 skipped" in said.splitlines()[-1]

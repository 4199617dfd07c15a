"""Where output goes when it cannot go where it should."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def run_into(stdout: int, *words: str) -> tuple[int, str]:
    """Exit code and stderr of a process that writes there."""
    done = subprocess.run(
        [sys.executable, "-m", "dtledger", *words], stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [("help", "categories"), ("help", "categories", "--json")])
def test_a_full_disk_behind_the_output_is_an_error_in_one_sentence(words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        code, said = run_into(full.fileno(), *words)
    assert code == 1
    assert "The output cannot be written: No space left on device." in said
    assert "Traceback" not in said


def test_a_reader_who_has_read_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert run_into(writing, "help", "categories") == (0, "")
    finally:
        os.close(writing)

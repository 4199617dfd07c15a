"""No attack test is one that cannot fail: each deliberate mistake in the code is noticed by every test that must."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.broken.python.runner import ROOT, mutants

pytestmark = [pytest.mark.slow, pytest.mark.mutation]


NEED_ANVIL = ("faults", "gateway", "policy", "privacy")
GROUPS = [
    pytest.param(group, marks=[pytest.mark.anvil] if group in NEED_ANVIL else [])
    for group in sorted({each.group for each in mutants()})
]


@pytest.mark.parametrize("group", GROUPS)
def test_every_mistake_is_noticed(group: str) -> None:
    command = [sys.executable, "-m", "tests.broken.python.runner", group]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    missed = [line for line in done.stdout.splitlines() if line.startswith("MISSED")]
    assert not missed
    assert done.returncode == 0, done.stdout + done.stderr

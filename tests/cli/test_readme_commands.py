"""The README's commands, run as they stand but for the twin's number."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from .conftest import DevnetHome
from .twins import new_twin

pytestmark = pytest.mark.anvil

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_patient_s_commands_grant_revoke_and_show_who_looked(
    devnet_home: DevnetHome, dtledger: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = (each for each in BLOCKS if "consent grant" in each)
    twin = new_twin(devnet_home).number
    monkeypatch.setenv("DTLEDGER_TWIN", str(twin))
    monkeypatch.setenv("DTLEDGER_KEY", "patient")
    commands = [shlex.split(line)[1:] for line in block.replace(" 1/", f" {twin}/").splitlines()]
    assert [words[1] for words in commands] == ["grant", "revoke", "access"]
    for words in commands:
        yes = ["--yes"] if words[0] == "consent" else []
        result = dtledger(*words, *yes)
        assert result.exit_code == 0, result.output
    assert f"Granted: {twin}/cardiology/0" in dtledger(*commands[0], "--yes").stdout


def test_scripts_demo_runs_again_from_any_folder_without_a_network(tmp_path: Path) -> None:
    """What is set up already asks no registry: each would be a proxy that is not there."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    environment = os.environ | nowhere | {"DTLEDGER_HOME": str(tmp_path / "home"), "PIP_NO_INDEX": "1"}

    def demo(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["/bin/sh", str(ROOT / "scripts" / "demo"), *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    try:
        told = demo("--json")
        assert told.returncode == 0, told.stderr
        assert len(json.loads(told.stdout)["next"]) == 5
    finally:
        cleaned = demo("--clean")
    assert "Removed" in cleaned.stdout

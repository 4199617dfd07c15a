"""`kubo.sh` makes a node of a private network, with everything off that a development chain's kubo has off."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from dtledger._backend.kubo_node import _SETTINGS, find_kubo
from tests.deploy.commands import DEPLOY

SCRIPT = DEPLOY / "kubo.sh"
KEY = f"/key/swarm/psk/1.0.0/\n/base16/\n{7:064d}\n"
ANYWHERE = "/ip4/127.0.0.1/tcp/0"


def test_it_sets_all_that_a_local_kubo_has_set_and_the_same() -> None:
    said = dict(re.findall(r"^set_to (\S+) (.*)$", SCRIPT.read_text(), re.MULTILINE))
    assert set(_SETTINGS) <= set(said)
    for name in set(_SETTINGS) - {"Addresses.API", "Addresses.Swarm", "Bootstrap"}:
        assert said[name].strip("'") == _SETTINGS[name]


@pytest.mark.kubo
class TestWithARealKubo:
    def start(self, folder: Path, key: str) -> subprocess.Popen[str]:
        binary = find_kubo() or pytest.skip("no kubo is here")
        (folder / "bin").mkdir()
        (folder / "bin" / "ipfs").symlink_to(Path(binary).resolve())
        (folder / "swarm.key").write_text(key)
        environment = {
            "PATH": f"{folder / 'bin'}:{os.defpath}",
            "HOME": str(folder),
            "IPFS_PATH": str(folder / "repository"),
            "KUBO_SWARM_KEY": str(folder / "swarm.key"),
            "KUBO_API": ANYWHERE,
            "KUBO_SWARM": ANYWHERE,
        }
        return subprocess.Popen(
            ["/bin/sh", SCRIPT], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def test_it_runs_and_speaks_to_nobody_without_the_key(self, tmp_path: Path) -> None:
        with self.start(tmp_path, KEY) as process:
            try:
                assert process.stdout
                said = ""
                while "Daemon is ready" not in said:
                    line = process.stdout.readline()
                    assert line, said
                    said += line
            finally:
                process.terminate()
        assert "limited to private network" in said
        config = json.loads((tmp_path / "repository" / "config").read_text())
        assert config["Bootstrap"] == []
        assert config["Plugins"]["Plugins"]["telemetry"]["Config"]["Mode"] == "off"
        assert (tmp_path / "repository" / "swarm.key").stat().st_mode & 0o077 == 0

    def test_it_does_not_start_with_a_broken_key(self, tmp_path: Path) -> None:
        with self.start(tmp_path, "no key\n") as process:
            said, _ = process.communicate()
        assert process.returncode != 0
        assert "Daemon is ready" not in said

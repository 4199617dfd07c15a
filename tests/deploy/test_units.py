"""The systemd units: their commands are what `dtledger` takes, and they give a service no more than it needs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.commands import DEPLOY, accept
from tests.deploy.test_compose import variables

UNITS = ("dtledger-custodian@", "dtledger-gateway")
PROGRAM = "/opt/dtledger/bin/dtledger"


def text_of(name: str) -> str:
    return (DEPLOY / f"{name}.service").read_text()


def settings(name: str) -> dict[str, list[str]]:
    """Of all its sections; systemd knows no setting by two sections' names."""
    found: dict[str, list[str]] = {}
    for line in text_of(name).splitlines():
        if line and line[0] not in "#[":
            key, equals, value = line.partition("=")
            assert equals, line
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("name", UNITS)
class TestAUnit:
    def test_runs_commands_that_there_are(self, name: str) -> None:
        for key in ("ExecStartPre", "ExecStart"):
            for line in settings(name).get(key, []):
                program, *words = line.split()
                assert program == PROGRAM
                accept(words)

    def test_sets_variables_that_are_looked_at(self, name: str) -> None:
        named = {each.partition("=")[0] for each in settings(name)["Environment"]}
        assert named - {"PYTHONDONTWRITEBYTECODE"} <= variables()

    def test_hands_over_each_secret_that_it_names_and_no_other(self, name: str) -> None:
        loaded = {each.partition(":")[0] for each in settings(name)["LoadCredential"]}
        named = re.findall(r"%d/(\S+)", " ".join(settings(name)["Environment"]))
        assert loaded == set(named) == {"password", "server.key"}

    def test_is_stopped_by_sigterm_and_started_again_when_it_failed(self, name: str) -> None:
        found = settings(name)
        assert (found["KillSignal"], found["Restart"]) == (["SIGTERM"], ["on-failure"])
        assert int(found["TimeoutStopSec"][0]) > 30  # `stop_seconds`, and what comes after

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"), ("ProtectHome", "yes"), ("PrivateTmp", "yes"),
            ("PrivateDevices", "yes"), ("CapabilityBoundingSet", ""), ("UMask", "0077"), ("StateDirectoryMode", "0700"),
            ("LimitCORE", "0"), ("MemorySwapMax", "0"),
        ],
    )  # fmt: skip
    def test_has_no_power_that_it_does_not_need(self, name: str, key: str, value: str) -> None:
        assert settings(name)[key] == [value]

    def test_runs_as_an_account_of_its_own(self, name: str) -> None:
        (user,) = settings(name)["User"]
        assert f"\nu {user} - " in (DEPLOY / "sysusers.conf").read_text()

    @pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
    def test_is_what_systemd_takes(self, name: str, tmp_path: Path) -> None:
        unit = tmp_path / f"{name}{'north' if name.endswith('@') else ''}.service"
        unit.write_text(text_of(name).replace(PROGRAM, shutil.which("true") or ""))
        assert verify(unit) == (0, "")
        unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystems=strict"))
        assert "ProtectSystems" in verify(unit)[1]


def verify(unit: Path) -> tuple[int, str]:
    command = ["systemd-analyze", "verify", "--man=no", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr

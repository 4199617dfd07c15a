"""What goes with a release says what is so: the security policy and the changelog."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SECURITY, CHANGELOG = ((ROOT / name).read_text() for name in ("SECURITY.md", "CHANGELOG.md"))
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
COMMANDS = sorted(set(re.findall(r"`(scripts/[^`*]+?)`", SECURITY)))


@pytest.mark.parametrize("command", [each for each in COMMANDS if not each.endswith(".json")])
def test_each_command_of_the_security_policy_is_understood(command: str) -> None:
    name, *words = command.split()
    script = ROOT / name
    assert script.stat().st_mode & 0o111
    for word in words:
        assert re.search(rf"(?<![\w-]){re.escape(word)}\b", script.read_text()), command


@pytest.mark.parametrize("page", [SECURITY, CHANGELOG], ids=["security", "changelog"])
def test_each_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_the_changelog_keeps_to_its_form_and_names_this_version() -> None:
    versions = re.findall(r"^## \[([^\]]+)\](?: - (\d{4}-\d\d-\d\d))?$", CHANGELOG, re.MULTILINE)
    assert versions[0] == ("Unreleased", "")
    assert all(day for _, day in versions[1:])
    assert VERSION in CHANGELOG
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Known limits"}
    assert set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)) <= known

"""What the README says can be done: its commands run, its names and folders exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import dtledger
from dtledger._cli import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line.split("#")[0].strip()
    for kind, text in BLOCKS
    if kind == "sh"
    for line in text.splitlines()
    if line.split("#")[0].strip()
]
INLINE = re.findall(r"`(dtledger [a-z][^`]*)`", README)


def test_there_are_commands_to_check() -> None:
    assert len(COMMANDS) >= 6
    assert len(INLINE) >= 4


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.startswith("scripts/")])
def test_each_script_is_there_and_can_be_run(command: str) -> None:
    script = ROOT / shlex.split(command)[0]
    assert script.stat().st_mode & 0o111


@pytest.mark.parametrize("command", [each for each in COMMANDS + INLINE if each.startswith("dtledger ")])
def test_each_command_is_understood(command: str) -> None:
    words = [word for word in shlex.split(command)[1:] if not word.isupper()]
    path = []
    group: object = main
    for word in words:
        found = group.commands.get(word) if hasattr(group, "commands") and group.commands else None
        found = found or (group.get_command(None, word) if hasattr(group, "get_command") else None)  # type: ignore[arg-type]
        if found is None:
            break
        group, path = found, [*path, word]
    assert path, command
    options = {word for word in words if word.startswith("--")}
    known = {option for parameter in group.params for option in parameter.opts}  # type: ignore[attr-defined]
    assert options <= known | {"--help"}, command
    assert CliRunner().invoke(main, [*path, "--help"]).exit_code == 0


def test_each_folder_and_file_of_the_map_is_there() -> None:
    (table,) = re.findall(r"\| folder \| what \|\n(.*?)\n\n", README, re.DOTALL)
    named = [name for row in table.splitlines()[1:] for name in re.findall(r"`([^`]+)`", row.split("|")[1])]
    assert len(named) > 10
    for name in named:
        assert (ROOT / name).exists() or (ROOT / "dtledger" / name).exists(), name


def test_each_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_error_and_exit_code_that_it_names_is_so() -> None:
    for name in re.findall(r"`(\w+Error)`", README):
        assert hasattr(dtledger, name)
    said = dict(re.findall(r"(\d) (denied|integrity|key|usage)", README))
    assert said == {"2": "usage", "3": "denied", "4": "integrity", "5": "key"}
    for code, name in (
        ("2", "Input"),
        ("3", "AccessDenied"),
        ("4", "Integrity"),
        ("5", "KeyFile"),
        ("6", "Unreachable"),
    ):
        assert getattr(dtledger, f"{name}Error").exit_code == int(code)

"""docs/regulation.md: every command that it names is there, every row is whole, and no row promises too much."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from dtledger._cli import main

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "regulation.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith(("| article", "| section", "| what"))
]
COMMANDS = sorted(set(re.findall(r"`(dtledger [^`]+)`", PAGE)))

MUST = {
    "GDPR": ["5(1)(a)", "5(1)(b)", "5(1)(c)", "5(1)(d)", "5(1)(e)", "5(1)(f)", "5(2)", "7(1)", "7(3)", "15", "16", "17",
             "18", "19", "20", "25", "32", "35"],
    "HIPAA": ["164.312(a)", "164.312(b)", "164.312(c)", "164.312(d)", "164.312(e)", "164.524", "164.526", "164.528"],
    "EHDS": ["3", "4", "5", "6", "7", "8", "9", "10"],
}  # fmt: skip


def section(name: str) -> str:
    (found,) = re.findall(rf"^## {name}.*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize(("law", "article"), [(law, each) for law, articles in MUST.items() for each in articles])
def test_each_article_has_a_row(law: str, article: str) -> None:
    assert re.search(rf"^\| {re.escape(article)}(?![\d.])", section(law), re.MULTILINE), article


def test_the_guidelines_on_blockchains_and_the_hour_of_onc_have_rows_too() -> None:
    assert "within an hour" in section("ONC")
    assert section("EDPB").count("\n| ") > 4


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:30])
def test_a_row_says_what_is_done_what_shows_it_and_what_stays(row: list[str]) -> None:
    assert len(row) == 4
    assert all(row)
    assert re.fullmatch(r"`dtledger [^`]+`", row[2])


def test_no_row_promises_that_anybody_is_compliant() -> None:
    assert not re.search(r"complian|conform|certif(?!icates)|guarantee", "\n".join(map(str, ROWS)), re.IGNORECASE)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_there_with_its_options(command: str) -> None:
    here: click.Command = main
    words = shlex.split(command)[1:]
    while isinstance(here, click.Group) and words:
        found = here.get_command(click.Context(here), words[0])
        assert found is not None, command
        here, words = found, words[1:]
    known = {option for each in here.params for option in each.opts}
    assert {each for each in words if each.startswith("--")} <= known, command


def test_a_command_that_is_not_there_would_be_found() -> None:
    context = click.Context(main)
    twin = main.get_command(context, "twin")
    assert isinstance(twin, click.Group)
    assert twin.get_command(context, "forget") is None


def test_each_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target

"""What came from somebody else is shown, and commands the terminal nothing: titles, erased lines, reversed text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dtledger._cli.app import App
from dtledger._cli.words import visible
from dtledger.errors import IntegrityError

from .bare import at_terminal

ERASE = "\x1b[1A\x1b[2K"
REVERSED = "\u202e"


@pytest.mark.slow
def test_an_error_over_a_card_obeys_no_escape_sequence_in_it(tmp_path: Path) -> None:
    card = tmp_path / "ann.card.json"
    card.write_text(json.dumps({"schema": "dtledger/member-card/1", f"{ERASE}signed": 1}))
    code, shown = at_terminal(tmp_path / "home", "contact", "add", "ann", card, typed="")
    assert code == 2
    assert ERASE not in shown
    assert "\\x1b[1A\\x1b[2Ksigned" in shown


@pytest.mark.parametrize("written", [ERASE, REVERSED, "\x9b2J", "\x07", "\r", "\u200b", "\x1b]0;title\x07"])
def test_nothing_that_a_command_says_obeys_one(written: str, capsys: pytest.CaptureFixture[str]) -> None:
    app = App()
    app.show(f"card {written}.json")
    app.say(f"card {written}.json")
    app.fail(IntegrityError(f"card {written}.json", hint=f"card {written}.json", block=written, party=written))
    shown = "".join(capsys.readouterr())
    assert written not in shown
    assert shown.count(repr(written)[1:-1]) == 6


def test_colours_of_our_own_and_letters_of_any_script_stay() -> None:
    assert visible("\x1b[31mÄrztin 王 λ\x1b[0m\n", coloured=True) == "\x1b[31mÄrztin 王 λ\x1b[0m\n"
    assert visible("\x1b[31m") == "\\x1b[31m"

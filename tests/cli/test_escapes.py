"""What came from somebody else is shown, and commands the terminal nothing: titles, erased lines, reversed text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dtledger._cli.app import App
from dtledger._cli.fhir.observing import _say
from dtledger._cli.fhir.plain import say_losses
from dtledger._cli.words import visible
from dtledger.errors import IntegrityError
from dtledger.fhir import read_consent, read_observations
from tests.fhir.examples import consent

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


HIDDEN = "\x1b[8m"
"""A colour as any other: whatever follows is there and not to be seen."""


def test_what_a_consent_says_hides_nothing_that_is_said_after_it(capsys: pytest.CaptureFixture[str]) -> None:
    code = {"coding": [{"code": f"C{HIDDEN}\n  lost: nothing"}]}
    read = read_consent(consent(None, type="permit", code=[code], **{f"x{HIDDEN}": 1}))
    told = say_losses(App(), read.losses)
    said = capsys.readouterr().err
    assert HIDDEN not in said
    assert said.count(repr(HIDDEN)[1:-1]) == 2
    assert said.count("\n") == len(told)
    assert any(HIDDEN in each["path"] for each in told)


def test_what_an_observation_is_of_hides_nothing_either(capsys: pytest.CaptureFixture[str]) -> None:
    resource = {"resourceType": "Observation", "status": "final"}
    for code in (f"1{HIDDEN}", "1"):
        found = read_observations({**resource, "code": {"coding": [{"system": "http://loinc.org", "code": code}]}})
        _say(App(), found)
        said = capsys.readouterr().err
        assert HIDDEN not in said
        assert f"1 Observation of LOINC {repr(code)[1:-1]}" in said


def test_colours_of_our_own_and_letters_of_any_script_stay() -> None:
    assert visible("\x1b[31mÄrztin 王 λ\x1b[0m\n", coloured=True) == "\x1b[31mÄrztin 王 λ\x1b[0m\n"
    assert visible("\x1b[31m") == "\\x1b[31m"

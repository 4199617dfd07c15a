"""`consent show --receipt`: what was allowed, for people, in one catalogue's words; and as JSON of others' names."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from click.testing import Result

from dtledger._cli.consent import receipt
from dtledger.client import GrantState
from dtledger.vocabulary import CATEGORIES, DUO, Action, Purpose

from .conftest import DevnetHome
from .twins import Twin, new_twin, said

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def twin(devnet_home: DevnetHome) -> Twin:
    return new_twin(devnet_home, hours=1)


@pytest.fixture(scope="module")
def grant(twin: Twin) -> str:
    twin.grant()
    return f"{twin.number}/cardiology/0"


@pytest.mark.anvil
def test_it_says_who_may_do_what_for_how_long_and_how_to_take_it_back(dtledger: Run, grant: str) -> None:
    shown = dtledger("consent", "show", grant, "--receipt", "--key", "patient").stdout
    for words in ("in force", "cardiology", "read the data", "glucose in tissue", "to treat the patient", "from ",
                  f"dtledger consent revoke {grant}", "cannot be called back"):  # fmt: skip
        assert words in shown


@pytest.mark.anvil
def test_what_was_revoked_says_so_and_what_it_was(dtledger: Run, devnet_home: DevnetHome) -> None:
    made = new_twin(devnet_home, hours=0)
    slot = made.grant()
    with devnet_home.client("patient") as patient:
        patient.consents.revoke(slot)
    told = said(dtledger("consent", "show", f"{made.number}/cardiology/0", "--receipt", "--key", "patient", "--json"))
    assert told["event"]["event_state"] == "revoked"
    assert told["services"][0]["purposes"][0]["piiCategory"] == ["glucose"]


@pytest.mark.anvil
def test_json_has_the_names_of_kantara_and_of_iso_27560(dtledger: Run, grant: str) -> None:
    told = said(dtledger("consent", "show", grant, "--receipt", "--key", "patient", "--json"))
    needed = {"version", "jurisdiction", "consentTimestamp", "collectionMethod", "consentReceiptID", "language",
              "piiPrincipalId", "piiControllers", "policyUrl", "services", "sensitive", "spiCat"}  # fmt: skip
    assert needed <= told.keys()
    assert all(told[each] not in ("", None) for each in needed)
    (purpose,) = told["services"][0]["purposes"]
    assert {"purpose", "purposeCategory", "consentType", "piiCategory", "termination"} <= purpose.keys()
    assert (purpose["purposeCategory"], told["sensitive"], told["spiCat"]) == (["TREAT"], False, [])
    assert {"event_time", "event_type", "event_state", "validity_duration"} == told["event"].keys()


class Page(HTMLParser):
    """Tags and their attributes, and that each is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.anvil
def test_the_page_needs_nothing_from_elsewhere_and_no_script(dtledger: Run, grant: str) -> None:
    text = dtledger("consent", "show", grant, "--receipt", "--html", "--key", "patient").stdout
    page = Page(text)
    tags = {tag for tag, _ in page.seen}
    assert {"main", "h1", "dl"} <= tags
    assert tags.isdisjoint({"script", "link", "img", "iframe"})
    assert not re.search(r"https?://|url\(|\bon\w+=", text)
    assert dict(page.seen)["html"] == {"lang": "en"}


@pytest.mark.anvil
def test_html_and_json_are_not_both(dtledger: Run, grant: str) -> None:
    assert dtledger("consent", "show", grant, "--receipt", "--html", "--json", "--key", "patient").exit_code == 2
    assert dtledger("consent", "show", grant, "--html", "--key", "patient").exit_code == 2
    assert dtledger("consent", "show", grant, "--receipt", "--language", "xx", "--key", "patient").exit_code == 2


@pytest.mark.anvil
def test_every_word_for_people_is_from_the_catalogue(
    dtledger: Run, grant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A translation of which each text begins with a sign: no line of a receipt is left without it."""
    marked = {name: _marked(each) for name, each in receipt.catalogue("en").items()}
    monkeypatch.setattr(receipt, "catalogue", lambda language: marked)
    shown = dtledger("consent", "show", grant, "--receipt", "--key", "patient").stdout.splitlines()
    named = re.compile("cardiology")  # who it is, no catalogue knows
    assert [line for line in shown if line.strip() and "§" not in line and not named.search(line)] == []


def _marked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _marked(each) for name, each in value.items()}
    return f"§{value}"


@pytest.mark.parametrize("language", receipt.languages())
def test_a_catalogue_has_a_word_for_all_of_the_vocabulary_and_the_same_blanks(language: str) -> None:
    words, english = receipt.catalogue(language), receipt.catalogue("en")
    assert words["language"] == language
    assert words["actions"].keys() == {each.name for each in Action}
    assert words["purposes"].keys() == {each.name for each in Purpose}
    assert words["categories"].keys() == {each.name for each in CATEGORIES}
    assert words["research_terms"].keys() == {each.short for each in DUO}
    assert words["state"].keys() == {each.value for each in GrantState}
    assert words.keys() == english.keys()
    for name, text in words.items():
        if isinstance(text, str):
            assert _blanks(text) == _blanks(english[name]), name


def _blanks(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_english_says_what_the_vocabulary_says() -> None:
    words = receipt.catalogue("en")
    assert words["purposes"] == {each.name: each.text for each in Purpose}
    assert words["actions"] == {each.name: each.text for each in Action}
    assert words["categories"] == {each.name: each.text for each in CATEGORIES}
    assert words["research_terms"] == {each.short: each.text for each in DUO}

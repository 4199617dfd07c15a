"""docs/protocol.md leaves out nothing that a second implementation must know the name of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dtledger.ledger import messages
from dtledger.vocabulary import Reason
from tests import vectors

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "protocol.md").read_text()
FLAT = re.sub(r"\s+", "", PAGE)

FILES = {
    "agreement", "backup", "bundle", "contact", "deployment", "error", "fingerprint", "gateway-status",
    "guardians", "inbox", "key-file-section", "member-card", "mint-request", "queue", "twin-acceptance",
    "twin-handover", "twin-state",
}  # fmt: skip
"""Forms of files, answers and what one machine keeps to itself: no other implementation needs them."""


def test_each_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert target.startswith("https://") or (ROOT / "docs" / target).exists(), target
    for path in re.findall(r"`((?:dtledger|contracts)/[\w/.]+)`", PAGE):
        if not re.search(r"/\d$", path):
            assert (ROOT / path).exists() or path.startswith("dtledger/v1/"), path


def test_every_vector_file_is_named() -> None:
    assert set(re.findall(r"`(\w+\.json)`", PAGE)) == vectors.MADE.keys()


@pytest.mark.parametrize("kind", messages.Statement.__args__)
def test_every_statement_is_named(kind: str) -> None:
    assert f"`{kind}`" in PAGE or f"`{kind}(bytes32 body)`" in PAGE


@pytest.mark.parametrize(
    "type_string",
    [
        messages.READ_REQUEST,
        messages.KEY_REQUEST,
        messages.RECEIPTS_REQUEST,
        messages.DESTROY_ORDER,
        messages.LETTERS_REQUEST,
        messages.BLOCKS_REQUEST,
        messages.PROBE,
    ],
)
def test_every_request_is_written_out(type_string: str) -> None:
    assert re.sub(r"\s+", "", type_string) in FLAT


def test_every_context_and_form_is_named() -> None:
    found = set()
    for path in (ROOT / "dtledger").rglob("*.py"):
        found |= set(re.findall(r"\"dtledger/([a-z-]+)/\d\"", path.read_text()))
    assert found - FILES, "there are some"
    assert {each for each in found - FILES if f"dtledger/{each}/1" not in PAGE} == set()


def test_every_label_that_keys_are_derived_under_is_named() -> None:
    from dtledger.crypto.kdf import Label

    own = {Label.BACKUP}  # of a file that its owner alone reads
    assert {each for each in Label if each not in own and f"`{each.value.decode()}`" not in PAGE} == set()


def test_every_door_of_a_custodian_is_named() -> None:
    text = (ROOT / "dtledger" / "service" / "custodian" / "endpoints.py").read_text()
    for path in re.findall(r"router\.\w+\(\"(/v1/[\w/-]+)", text):
        assert path.rstrip("/") in PAGE, path


def test_the_rule_has_its_reasons_in_their_order() -> None:
    section = PAGE.partition("## The rule\n")[2].partition("\n## ")[0]
    told = re.findall(r"^\| [\d, ]+ \| ([A-Z_, ]+)", section, re.MULTILINE)
    names = [name for row in told for name in re.findall(r"[A-Z_]{3,}", row)]
    rest = [each.name for each in Reason if each.is_of_the_rule and each not in (Reason.OWNER, Reason.PERMITTED)]
    assert names == [*rest[:3], "OWNER", *rest[3:], "PERMITTED"]


def test_a_grants_fields_stand_in_the_order_of_the_word() -> None:
    said = (ROOT / "contracts" / "types" / "Grant.sol").read_text()
    layout = said.partition("From the most significant bit: ")[2].partition(".")[0].replace("///", "")
    names = re.findall(r"(\w+) u\d+", layout)
    assert "| " + " | ".join(names) + " |" in PAGE

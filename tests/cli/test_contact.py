"""`contact`: whom one knows, after the six words were compared."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dtledger.contacts import MemberCardFile, fingerprint
from dtledger.types import Address

from .bare import Run, at_terminal, runner
from .conftest import DevnetHome

SOMEBODY = Address("0x52908400098527886E0F7030069857D2E4169EE7")
NOBODY = Address("0x000000000000000000000000000000000000dEaD")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Commands in a home without a deployment."""
    return runner(home, monkeypatch)


@pytest.fixture
def known(run: Run, home: Path, devnet_home: DevnetHome) -> Run:
    """Commands in another home, which knows the devnet and nobody on it."""
    home.mkdir()
    shutil.copy(devnet_home.home.config_file, home)
    shutil.copytree(devnet_home.home.deployments, home / "deployments")
    return run


@pytest.fixture
def card(devnet_home: DevnetHome) -> MemberCardFile:
    """The card that the clinician was enrolled by."""
    path = devnet_home.home.contacts / "cardiology.json"
    return MemberCardFile.from_dict(json.loads(path.read_text())["card"], "a contact")


def written(card: MemberCardFile, folder: Path, name: str = "card.json") -> Path:
    (folder / name).write_bytes(card.serialise())
    return folder / name


def test_an_address_is_kept_with_the_words_of_the_address_alone(run: Run, home: Path) -> None:
    result = run("contact", "add", "ann", SOMEBODY.lower(), "--yes")
    assert result.exit_code == 0
    assert result.stdout == f"ann is the contact {SOMEBODY}.\n"
    assert f"{fingerprint(SOMEBODY)} (of the address alone)" in result.stderr
    assert "could not be asked" in result.stderr
    assert json.loads((home / "contacts" / "ann.json").read_text())["address"] == SOMEBODY


@pytest.mark.anvil
def test_a_card_is_kept_with_its_names_and_its_standing_on_the_ledger(
    known: Run, home: Path, card: MemberCardFile, tmp_path: Path
) -> None:
    result = known("contact", "add", "heart", written(card, tmp_path), "--yes", "--json")
    assert json.loads(result.stdout) == {
        "schema": "dtledger/contact/1",
        "name": "heart",
        "address": card.address,
        "fingerprint": fingerprint(card.address, card.public_key),
        "card_name": "cardiology",
        "organisation": card.organisation,
        "organisation_name": "hospital",
        "version": 0,
        "added_at": None,
        "ledger": "enrolled",
        "dry_run": False,
    }
    headings, shown = known("contact", "list").stdout.splitlines()
    assert headings.split() == ["contact", "address", "six", "words", "card"]
    assert [each for each in shown.split("  ") if each] == [
        "heart", card.address, fingerprint(card.address, card.public_key), "cardiology (hospital)",
    ]  # fmt: skip


@pytest.mark.anvil
def test_a_card_with_another_key_than_the_ledger_names_is_said_to_have_one(
    known: Run, devnet_home: DevnetHome, card: MemberCardFile, tmp_path: Path
) -> None:
    from dtledger.client import make_card
    from dtledger.crypto.seal import SealKey

    with devnet_home.client("cardiology") as client:
        key = client.context.key

        class Rekeyed:
            address, sign_digest, seal_key = key.address, key.sign_digest, SealKey.generate()

        other = make_card(client.context.deployment, Rekeyed(), "cardiology", 1, card.organisation, "hospital")  # type: ignore[arg-type]
    result = known("contact", "add", "heart", written(other, tmp_path), "--dry-run")
    assert "ANOTHER key" in result.stderr
    assert "enrolled on the ledger\n" in known("contact", "add", "heart", written(card, tmp_path), "--dry-run").stderr


@pytest.mark.anvil
def test_a_stranger_is_said_to_be_one(known: Run) -> None:
    result = known("contact", "add", "ann", SOMEBODY, "--dry-run")
    assert "not enrolled on the ledger" in result.stderr


@pytest.mark.anvil
def test_a_card_that_was_changed_is_refused(known: Run, home: Path, card: MemberCardFile, tmp_path: Path) -> None:
    forged = written(replace(card, name="Somebody Else"), tmp_path)
    result = known("contact", "add", "heart", forged, "--yes")
    assert result.exit_code == 4
    assert "not signed by that address" in result.stderr
    assert not (home / "contacts").exists()
    assert known("contact", "add", "heart", written(card, tmp_path), "--yes").exit_code == 0


@pytest.mark.anvil
def test_a_card_cannot_be_checked_without_a_deployment(run: Run, devnet_home: DevnetHome, tmp_path: Path) -> None:
    kept = json.loads((devnet_home.home.contacts / "cardiology.json").read_text())["card"]
    (tmp_path / "card.json").write_text(json.dumps(kept))
    assert run("contact", "add", "heart", tmp_path / "card.json", "--yes").exit_code == 6


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 1)])
def test_the_six_words_are_asked_about_at_a_terminal(run: Run, home: Path, typed: str, code: int) -> None:
    exit_code, shown = at_terminal(home, "contact", "add", "ann", SOMEBODY, typed=typed)
    assert exit_code == code
    assert shown.index(fingerprint(SOMEBODY)) < shown.index("Are these the six words that the member sees?")
    assert (home / "contacts" / "ann.json").exists() is (code == 0)


def test_where_nobody_can_answer_nothing_is_kept_without_yes(run: Run, home: Path) -> None:
    result = run("contact", "add", "ann", SOMEBODY, "--json")
    assert result.exit_code == 2
    assert "--yes" in json.loads(result.stderr)["message"]
    assert not (home / "contacts").exists()


def test_a_dry_run_shows_who_it_is_and_keeps_nothing(run: Run, home: Path) -> None:
    result = run("contact", "add", "ann", SOMEBODY, "--dry-run")
    assert result.stdout == f"ann would be the contact {SOMEBODY}.\n"
    assert not home.exists()


@pytest.mark.parametrize(
    ("name", "who", "said"),
    [
        ("Ann", SOMEBODY, "cannot be the name of a contact"),
        ("bob", "ann", "neither a card file nor an address"),
        ("bob", "0x1234", "cannot be used"),
        ("bob", "missing.json", "cannot be read"),
        ("bob", SOMEBODY, "is the contact ann already"),
        ("ann", NOBODY, "There is a contact ann already"),
        ("ann", SOMEBODY, "There is a contact ann already"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_the_question(run: Run, name: str, who: str, said: str) -> None:
    assert run("contact", "add", "ann", SOMEBODY, "--yes").exit_code == 0
    result = run("contact", "add", name, who)
    assert result.exit_code == 2
    assert said in result.stderr
    assert run("contact", "add", "carl", NOBODY, "--yes").exit_code == 0


@pytest.mark.anvil
def test_replace_takes_a_later_card_of_the_same_address_alone(known: Run, card: MemberCardFile, tmp_path: Path) -> None:
    known("contact", "add", "heart", card.address, "--yes")
    path = written(card, tmp_path)
    assert known("contact", "add", "heart", path, "--yes").exit_code == 2
    assert known("contact", "add", "heart", path, "--yes", "--replace").exit_code == 0
    assert known("contact", "add", "heart", NOBODY, "--yes", "--replace").exit_code == 2
    assert json.loads(known("contact", "list", "--json").stdout)["contacts"][0]["card_name"] == "cardiology"


def test_list_of_nobody_says_how_to_add_somebody(run: Run) -> None:
    result = run("contact", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "dtledger contact add" in result.stderr


def test_list_in_json_has_one_row_a_contact(run: Run) -> None:
    run("contact", "add", "ann", SOMEBODY, "--yes")
    told = json.loads(run("contact", "list", "--json").stdout)
    assert told["schema"] == "dtledger/contacts/1"
    (row,) = told["contacts"]
    assert (row["name"], row["address"], row["version"]) == ("ann", SOMEBODY, None)
    assert row["added_at"].endswith("Z")
    assert run("contact", "list").stdout.endswith("(no card)\n")


def test_a_contact_is_forgotten_after_the_question(run: Run, home: Path) -> None:
    run("contact", "add", "ann", SOMEBODY, "--yes")
    assert run("contact", "remove", "ann").exit_code == 2
    assert run("contact", "remove", "ann", "--dry-run").stdout == "ann would be removed.\n"
    assert (home / "contacts" / "ann.json").exists()
    told = json.loads(run("contact", "remove", "ann", "--yes", "--json").stdout)
    assert told == {"schema": "dtledger/contact-removed/1", "name": "ann", "address": SOMEBODY, "dry_run": False}
    result = run("contact", "remove", "ann", "--yes")
    assert result.exit_code == 2
    assert "There is no contact 'ann'" in result.stderr


def test_a_damaged_contact_can_be_removed(run: Run, home: Path) -> None:
    run("contact", "add", "ann", SOMEBODY, "--yes")
    (home / "contacts" / "ann.json").write_text("{}")
    result = run("contact", "remove", "ann", "--yes")
    assert result.exit_code == 0
    assert "is no contact file" in result.stderr
    assert not (home / "contacts" / "ann.json").exists()

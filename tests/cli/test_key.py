"""`key`: made, adopted, listed, shown, chosen; and no secret ever an argument or on the screen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_account import Account

from dtledger.contacts import fingerprint
from dtledger.home import Home
from dtledger.keys import KeyStore, Scrypt

from .bare import Run, answers, runner

PASSWORD = "correct horse battery"
PRIVATE = "0x" + "11" * 31 + "12"
ADDRESS = Account.from_key(PRIVATE).address


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Commands whose new keys cost nothing to derive, with the password in a file."""
    monkeypatch.setattr(KeyStore.__init__, "__defaults__", (Scrypt(n=2),))
    run = runner(home, monkeypatch)
    monkeypatch.setenv("DTLEDGER_PASSWORD_FILE", str(secret(home.parent / "password", PASSWORD)))
    return run


def secret(path: Path, text: str) -> Path:
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def foreign(path: Path, password: str = PASSWORD) -> Path:
    """A keystore as `cast wallet import` writes it: no section, no address."""
    document = Account.encrypt(PRIVATE, password, kdf="scrypt", iterations=2)
    document.pop("address")
    return secret(path, json.dumps(document))


def store(home: Path) -> KeyStore:
    return KeyStore(Home.locate(home))


def test_a_new_key_is_random_lies_in_the_home_and_the_first_is_used(run: Run, home: Path) -> None:
    result = run("key", "new", "ann", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    key = store(home).open("ann").unlock(PASSWORD)
    assert told == {
        "schema": "dtledger/key/1",
        "name": "ann",
        "address": key.address,
        "path": f"{home}/keys/ann.json",
        "used": True,
        "dry_run": False,
    }
    assert json.loads(run("key", "new", "bob", "--json").stdout)["used"] is False
    assert store(home).open("bob").address != key.address


def test_people_are_told_where_it_lies_and_to_back_it_up(run: Run, home: Path) -> None:
    result = run("key", "new", "ann")
    assert result.stdout == f"The key ann is {store(home).open('ann').address}, used when none is named.\n"
    for said in (f"{home}/keys/ann.json", "dtledger key backup", f"{home.parent}/password", "dtledger devnet up"):
        assert said in result.stderr
    assert PASSWORD not in result.output


def test_use_lets_a_new_key_be_used_at_once(run: Run, home: Path) -> None:
    run("key", "new", "ann")
    assert "used when none is named" in run("key", "new", "bob", "--use").stdout
    assert store(home).default() == "bob"


def test_a_private_key_is_taken_from_a_file(run: Run, home: Path) -> None:
    file = secret(home.parent / "private", PRIVATE)
    result = run("key", "new", "ann", "--from-file", file)
    assert ADDRESS in result.stdout
    assert PRIVATE[2:] not in result.output


def test_a_private_key_and_a_password_are_asked_for_on_the_terminal(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DTLEDGER_PASSWORD_FILE")
    asked = answers(monkeypatch, "key.options", PRIVATE, PASSWORD, PASSWORD)
    assert run("key", "new", "ann", "--import").exit_code == 0
    assert asked == ["Private key: ", "Password of key ann: ", "The same again: "]
    assert store(home).open("ann").unlock(PASSWORD).address == ADDRESS


def test_without_a_terminal_a_secret_is_not_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("key", "new", "ann", "--import")
    assert result.exit_code == 5
    assert "no terminal to ask on: Private key?" in result.stderr
    monkeypatch.delenv("DTLEDGER_PASSWORD_FILE")
    assert "DTLEDGER_PASSWORD_FILE" in run("key", "new", "ann").stderr


def test_a_keystore_of_another_tool_is_adopted_under_its_own_password(run: Run, home: Path) -> None:
    source = foreign(home.parent / "ann.json")
    before = source.read_text()
    result = run("key", "new", "ann", "--keystore", source)
    assert result.exit_code == 0, result.stderr
    assert ADDRESS in result.stdout
    assert store(home).open("ann").unlock(PASSWORD).secrets.twins == {}
    assert source.read_text() == before


def test_a_keystore_whose_password_is_another_is_not_adopted(run: Run, home: Path) -> None:
    result = run("key", "new", "ann", "--keystore", foreign(home.parent / "ann.json", "another one"))
    assert result.exit_code == 5
    assert store(home).names() == ()


def test_sources_exclude_each_other(run: Run, home: Path) -> None:
    file = secret(home.parent / "private", PRIVATE)
    assert run("key", "new", "ann", "--from-file", file, "--import").exit_code == 2
    assert run("key", "new", "ann", "--keystore", file, "--from-file", file).exit_code == 2


@pytest.mark.parametrize(
    ("name", "code", "said"), [("Ann", 2, "cannot be the name"), ("bob", 5, "There is a key bob already")]
)
def test_a_name_that_cannot_be_is_refused_before_anything_is_asked(run: Run, name: str, code: int, said: str) -> None:
    run("key", "new", "bob")
    result = run("key", "new", name, "--import")
    assert result.exit_code == code
    assert said in result.stderr


def test_a_dry_run_makes_nothing_but_checks_what_is_to_be_taken(run: Run, home: Path) -> None:
    assert json.loads(run("key", "new", "ann", "--dry-run", "--json").stdout)["dry_run"] is True
    assert run("key", "new", "ann", "--dry-run", "--keystore", foreign(home.parent / "ann.json")).exit_code == 0
    assert run("key", "new", "ann", "--dry-run", "--keystore", home.parent / "bob.json").exit_code == 5
    assert run("key", "new", "ann", "--dry-run", "--from-file", home.parent / "password").exit_code == 5
    assert store(home).names() == ()


def test_list_marks_the_key_in_use_and_shows_a_damaged_one_as_such(run: Run, home: Path) -> None:
    for name in ("ann", "bob"):
        run("key", "new", name)
    secret(home / "keys" / "eve.json", "{}")
    ann, bob = (store(home).open(name).address for name in ("ann", "bob"))
    lines = run("key", "list").stdout.splitlines()
    assert lines[:2] == [f"* ann  {ann}", f"  bob  {bob}"]
    assert lines[2].startswith("  eve  ")
    assert "damaged" in lines[2]
    told = json.loads(run("key", "list", "--json").stdout)
    assert told["schema"] == "dtledger/keys/1"
    assert told["used"] == "ann"
    assert [(each["name"], each["used"], bool(each["trouble"])) for each in told["keys"]] == [
        ("ann", True, False),
        ("bob", False, False),
        ("eve", False, True),
    ]


def test_list_of_no_key_says_how_to_make_one(run: Run) -> None:
    result = run("key", "list")
    assert result.stdout == ""
    assert "dtledger key new NAME" in result.stderr


def test_list_names_a_keystore_in_use_that_lies_elsewhere(run: Run, home: Path) -> None:
    run("key", "new", "ann")
    result = run("key", "list", "--key", foreign(home.parent / "other.json"))
    assert "*" not in result.stdout
    assert "option --key" in result.stderr


def test_show_gives_the_six_words_that_others_compare(run: Run, home: Path) -> None:
    run("key", "new", "ann")
    key = store(home).open("ann").unlock(PASSWORD)
    words = fingerprint(key.address, key.seal_key.public)
    shown = run("key", "show").stdout
    assert words in shown
    assert fingerprint(key.address) in shown
    told = json.loads(run("key", "show", "ann", "--json").stdout)
    assert (told["address"], told["fingerprint"], told["twins"]) == (key.address, words, {})


def test_show_lists_the_twins_whose_secrets_the_key_holds(run: Run, home: Path) -> None:
    from dtledger.keys import TwinSecrets

    run("key", "new", "ann")
    key = store(home).open("ann").unlock(PASSWORD)
    key.update(lambda held: held.with_twin("31337-ab-cd", 7, TwinSecrets.draw()))
    assert "twins        7 on 31337-ab-cd" in run("key", "show").stdout


def test_show_without_the_password_says_what_the_file_says(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("key", "new", "ann")
    monkeypatch.delenv("DTLEDGER_PASSWORD_FILE")
    told = json.loads(run("key", "show", "ann", "--locked", "--json").stdout)
    assert told["address"] == store(home).open("ann").address
    assert (told["fingerprint"], told["twins"]) == (None, None)
    unknown = run("key", "show", foreign(home.parent / "other.json"), "--locked")
    assert "shows when it is first unlocked" in unknown.stdout
    assert run("key", "show", "ann").exit_code == 5


def test_show_with_a_wrong_password_fails_as_a_key_does(run: Run, home: Path) -> None:
    run("key", "new", "ann")
    secret(home.parent / "password", "not the one")
    result = run("key", "show", "--json")
    assert result.exit_code == 5
    assert json.loads(result.stderr)["error"] == "KeyFileError"


def test_show_of_no_key_says_how_to_make_one(run: Run) -> None:
    result = run("key", "show")
    assert result.exit_code == 2
    assert "dtledger key new NAME" in result.stderr


def test_use_chooses_the_key_that_is_meant_when_none_is_named(run: Run, home: Path) -> None:
    for name in ("ann", "bob"):
        run("key", "new", name)
    assert run("key", "use", "bob", "--dry-run").stdout.startswith("The key bob (0x")
    assert store(home).default() == "ann"
    told = json.loads(run("key", "use", "bob", "--json").stdout)
    assert (told["name"], told["overruled_by"]) == ("bob", None)
    assert store(home).default() == "bob"


def test_use_warns_when_something_else_counts_before_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("key", "new", "ann")
    monkeypatch.setenv("DTLEDGER_KEY", "bob")
    assert "environment DTLEDGER_KEY names another" in run("key", "use", "ann").stderr


def test_use_of_what_is_no_key_names_the_nearest_or_how_to_adopt(run: Run, home: Path) -> None:
    run("key", "new", "ann")
    result = run("key", "use", "anne")
    assert result.exit_code == 5
    assert "Did you mean ann?" in result.stderr
    source = foreign(home.parent / "other.json")
    result = run("key", "use", source)
    assert result.exit_code == 2
    assert "--keystore" in result.stderr


def test_a_backup_brings_the_key_back_on_another_machine(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("key", "new", "ann").exit_code == 0
    seal_key = store(home).open("ann").unlock(PASSWORD).seal_key
    saved = home.parent / "ann.backup"
    assert "would hold" in run("key", "backup", "--to", saved, "--dry-run").stdout
    assert not saved.exists()
    told = json.loads(run("key", "backup", "--to", saved, "--json").stdout)
    assert (told["schema"], told["name"], told["twins"]) == ("dtledger/key-backup/1", "ann", 0)
    assert run("key", "backup", "--to", saved).exit_code == 5
    monkeypatch.setenv("DTLEDGER_PASSWORD_FILE", str(home.parent / "nowhere"))
    assert "not overwritten" in run("key", "backup", "--to", saved).stderr, "it is said before a password is asked for"
    assert run("key", "backup", "--to", home.parent / "nowhere" / "ann.backup").exit_code == 2

    laptop = home.parent / "laptop"
    elsewhere = runner(laptop, monkeypatch)
    monkeypatch.setenv("DTLEDGER_PASSWORD_FILE", str(home.parent / "password"))
    assert "backup of the key ann" in elsewhere("key", "restore", saved, "--dry-run").stdout
    assert not laptop.exists()
    told = json.loads(elsewhere("key", "restore", saved, "--json").stdout)
    assert (told["name"], told["used"]) == ("ann", True)
    assert store(laptop).open("ann").unlock(PASSWORD).seal_key == seal_key
    assert elsewhere("key", "restore", home.parent / "password").exit_code == 5

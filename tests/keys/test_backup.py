"""A backup brings back everything, takes nothing away, and is worth nothing to whoever finds it or changes it."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dtledger.errors import DtledgerError, IntegrityError, KeyFileError
from dtledger.home import Home
from dtledger.keys import KeyStore, Secrets, TwinSecrets
from dtledger.keys.backup import make_backup, read_backup

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"
D = "31337-00112233-abcdef01"
AT = 1_800_000_000


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "ann.backup"


@pytest.fixture
def laptop(tmp_path: Path, store: KeyStore) -> KeyStore:
    """Another machine's home, empty."""
    return KeyStore(Home.locate(tmp_path / "laptop"), store.kdf)


def populate(store: KeyStore) -> Secrets:
    """A key with a twin, a contact, a deployment and settings."""
    key = store.create("ann", PASSWORD).unlock(PASSWORD)
    secrets = key.update(lambda held: held.with_twin(D, 7, TwinSecrets.draw()))
    root = store.home.root
    for place, text in (("contacts/bob.json", "{}"), ("deployments/net.json", "{1}"), ("config.toml", "tz = 'UTC'\n")):
        (root / place).parent.mkdir(exist_ok=True)
        (root / place).write_text(text)
    return secrets


def save(store: KeyStore, target: Path) -> None:
    file = store.open("ann")
    make_backup(store.home, file.unlock(PASSWORD), file, target, AT)


def held(store: KeyStore, name: str = "ann") -> Secrets:
    return store.open(name).unlock(PASSWORD).secrets


def test_a_home_that_is_gone_comes_back(store: KeyStore, target: Path) -> None:
    secrets = populate(store)
    save(store, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    shutil.rmtree(store.home.root)
    name, files = read_backup(target).restore(store, PASSWORD)
    assert (name, files) == ("ann", ["config.toml", "contacts/bob.json", "deployments/net.json"])
    assert store.default() == "ann"
    assert held(store).twins == secrets.twins
    assert held(store).backed_up_at == AT
    assert (store.home.contacts / "bob.json").read_text() == "{}"
    assert store.home.config_file.read_text() == "tz = 'UTC'\n"


def test_a_backup_is_known_to_lack_what_came_later(store: KeyStore, target: Path) -> None:
    populate(store)
    assert held(store).backed_up_at is None
    save(store, target)
    assert held(store).backed_up_at == AT
    key = store.open("ann").unlock(PASSWORD)
    key.update(lambda now: now.with_twin(D, 8, TwinSecrets.draw()))
    assert held(store).backed_up_at is None


def test_an_old_backup_takes_nothing_away(store: KeyStore, target: Path) -> None:
    populate(store)
    save(store, target)
    key = store.open("ann").unlock(PASSWORD)
    later = key.update(
        lambda now: now.with_twin(D, 7, now.twin(D, 7).with_generation(1, bytes(32))).with_extra("more", 1)
    )
    (store.home.contacts / "bob.json").write_text("{newer}")
    assert read_backup(target).restore(store, PASSWORD) == ("ann", [])
    assert held(store).twins == later.twins
    assert held(store).extra["more"] == 1
    assert held(store).backed_up_at is None
    assert (store.home.contacts / "bob.json").read_text() == "{newer}"


def test_a_key_gets_what_only_the_backup_has(store: KeyStore, laptop: KeyStore, target: Path) -> None:
    secrets = populate(store)
    adopted = store.home.keys / "ann.json"
    document = json.loads(adopted.read_text())
    document.pop("dtledger")
    laptop.home.prepare(laptop.home.keys)
    (laptop.home.keys / "ann.json").write_text(json.dumps(document))
    (laptop.home.keys / "ann.json").chmod(0o600)
    assert held(laptop).seal_key != secrets.seal_key  # the same account, begun anew there
    save(store, target)
    read_backup(target).restore(laptop, PASSWORD)
    assert held(laptop).twins == secrets.twins
    assert secrets.seal_key in held(laptop).seal_keys


@pytest.mark.parametrize("damage", [b"not a keystore", None])
def test_a_damaged_key_is_set_aside(store: KeyStore, target: Path, damage: bytes | None) -> None:
    secrets = populate(store)
    save(store, target)
    path = store.home.keys / "ann.json"
    if damage is None:  # another tool dropped the section
        document = json.loads(path.read_text())
        document.pop("dtledger")
        damage = json.dumps(document).encode()
    path.write_bytes(damage)
    read_backup(target).restore(store, PASSWORD)
    assert held(store).twins == secrets.twins
    assert (store.home.keys / "ann.json.damaged").read_bytes() == damage


def test_another_key_of_that_name_stays_and_the_backup_takes_another_name(
    store: KeyStore, laptop: KeyStore, target: Path
) -> None:
    secrets = populate(store)
    save(store, target)
    other = laptop.create("ann", PASSWORD).unlock(PASSWORD)
    with pytest.raises(KeyFileError, match="another key ann"):
        read_backup(target).restore(laptop, PASSWORD)
    assert held(laptop).seal_key == other.seal_key
    assert not (laptop.home.root / "contacts").exists()
    assert read_backup(target).restore(laptop, PASSWORD, "ann-2")[0] == "ann-2"
    assert held(laptop, "ann-2").twins == secrets.twins


def test_without_the_password_nothing_opens_and_nothing_is_written(
    store: KeyStore, laptop: KeyStore, target: Path
) -> None:
    populate(store)
    save(store, target)
    with pytest.raises(KeyFileError, match="password is wrong"):
        read_backup(target).restore(laptop, "wrong horse")
    assert not laptop.home.root.exists()
    assert b"tz = " not in target.read_bytes()
    assert "bob" not in target.read_text()


def _flip(name: str) -> Callable[[dict[str, Any]], None]:
    def change(backup: dict[str, Any]) -> None:
        backup[name] = f"{int(backup[name][:2], 16) ^ 1:02x}{backup[name][2:]}"

    return change


@pytest.mark.parametrize(
    "change",
    [_flip("ciphertext"), _flip("nonce"), lambda backup: backup.update(name="bob"), lambda b: b.update(made_at=1)],
    ids=["contacts changed", "nonce changed", "name changed", "time changed"],
)
def test_a_changed_backup_restores_nothing(
    store: KeyStore, laptop: KeyStore, target: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    populate(store)
    save(store, target)
    backup = json.loads(target.read_text())
    change(backup)
    target.write_text(json.dumps(backup))
    with pytest.raises(IntegrityError, match="was changed"):
        read_backup(target).restore(laptop, PASSWORD)
    assert not laptop.home.root.exists()


@pytest.mark.parametrize("text", ["", "[]", '{"schema": "dtledger/backup/2"}', '{"schema": "dtledger/backup/1"}'])
def test_what_is_no_backup_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other"
    path.write_text(text)
    with pytest.raises(KeyFileError, match="no backup"):
        read_backup(path)
    with pytest.raises(KeyFileError, match="cannot be read"):
        read_backup(tmp_path / "nowhere")


def test_a_backup_is_never_overwritten_and_one_that_cannot_be_written_is_not_noted(
    store: KeyStore, target: Path, tmp_path: Path
) -> None:
    populate(store)
    save(store, target)
    with pytest.raises(KeyFileError, match="not overwritten"):
        save(store, target)
    with pytest.raises(DtledgerError, match="no folder"):
        save(store, tmp_path / "no" / "folder")
    assert held(store).backed_up_at == AT

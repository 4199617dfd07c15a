"""Changing a key's secrets: two at once, and a death in between."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from dtledger.errors import DtledgerError
from dtledger.home import Home
from dtledger.keys import KeyStore, Scrypt, Secrets, TwinSecrets
from tests.keys.examples import CAST, CAST_PASSWORD

ROOT = Path(__file__).parents[2]
D = "31337-00112233-abcdef01"

WRITER = """
import sys
from pathlib import Path
from dtledger.home import Home
from dtledger.keys import KeyStore, Scrypt, TwinSecrets

home, first = sys.argv[1:]
key = KeyStore(Home.locate(home), Scrypt(n=2)).open("ann").unlock("correct horse")
print("ready", flush=True)
sys.stdin.readline()
for twin in range(int(first), int(first) + 10):
    key.update(lambda old: old.with_twin("31337-00112233-abcdef01", twin, TwinSecrets.draw()))
"""

# Forks, for a child that dies; each dies at a later call of the operating system than the one before.
DYING_WRITER = """
import os, signal, sys
from dtledger.home import Home
from dtledger.keys import KeyStore, Scrypt, TwinSecrets

key = KeyStore(Home.locate(sys.argv[1]), Scrypt(n=2)).open("ann").unlock("correct horse")
twin = TwinSecrets.draw()
real_write = os.write

def dying(call, left):
    def counted(*arguments):
        left[0] -= 1
        if left[0] == 0:
            if call is real_write:
                real_write(arguments[0], arguments[1][: len(arguments[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments)
    return counted

for number in range(1, 40):
    child = os.fork()
    if child == 0:
        left = [number]
        for name in ("write", "fsync", "replace"):
            setattr(os, name, dying(getattr(os, name), left))
        key.update(lambda old: old.with_twin("31337-00112233-abcdef01", number, twin))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    # Whoever opens the file now finds it whole, and can go on writing.
    found = KeyStore(Home.locate(sys.argv[1]), Scrypt(n=2)).open("ann").unlock("correct horse")
    found.update(lambda old: old.with_extra("last", number))
    print(number, os.waitstatus_to_exitcode(status), found.secrets.has_twin("31337-00112233-abcdef01", number))
    if status == 0:
        break
"""


def with_new_twin(old: Secrets, twin: int) -> Secrets:
    return old.with_twin(D, twin, TwinSecrets.draw())


@pytest.mark.slow
def test_two_processes_that_update_one_key_lose_none_of_each_others_secrets(home: Home, store: KeyStore) -> None:
    file = store.create("ann", "correct horse")
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(home.root), str(first)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for first in (0, 100)
    ]
    for each in writers:  # both hold what the file had before either wrote
        assert each.stdout is not None
        assert each.stdout.readline() == b"ready\n"
    for each in writers:
        each.communicate(b"go\n")
        assert each.returncode == 0
    secrets = file.unlock("correct horse").secrets
    assert sorted(map(int, secrets.twins[D])) == [*range(10), *range(100, 110)]


@pytest.mark.slow
def test_threads_that_update_one_key_lose_nothing_either(store: KeyStore) -> None:
    file = store.create("ann", "correct horse")
    keys = [file.unlock("correct horse") for _ in range(4)]
    together = threading.Barrier(len(keys))

    def add(number: int) -> None:
        together.wait()
        for twin in range(100 * number, 100 * number + 5):
            keys[number].update(partial(with_new_twin, twin=twin))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(len(keys))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(file.unlock("correct horse").secrets.twins[D]) == 20
    assert len(keys[0].reload().twins[D]) == 20


@pytest.mark.slow
def test_an_update_killed_at_any_write_leaves_the_old_secrets_or_the_new(home: Home, store: KeyStore) -> None:
    store.create("ann", "correct horse")
    done = subprocess.run(
        [sys.executable, "-c", DYING_WRITER, str(home.root)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [status for _, status, _ in rows] == [str(-signal.SIGKILL)] * (len(rows) - 1) + ["0"]
    there = [found for _, _, found in rows]
    assert there[0] == "False"
    assert there[-2:] == ["True", "True"], "killed after the rename, the new secrets are there"
    assert not list(home.keys.glob("*.tmp"))
    assert not list(home.keys.glob(".*.tmp"))


def test_the_first_section_made_by_two_at_once_is_one(store: KeyStore, tmp_path: Path) -> None:
    path = tmp_path / "alice"
    path.write_text(CAST)
    file = store.adopt("alice", path)
    together = threading.Barrier(3)
    seals: list[bytes] = []

    def unlock() -> None:
        together.wait()
        seals.append(file.unlock(CAST_PASSWORD).seal_key.public)

    threads = [threading.Thread(target=unlock) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(seals)) == 1
    assert len(seals) == 3


def test_an_update_costs_no_second_derivation(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    key = store.create("ann", "correct horse").unlock("correct horse")

    def forbidden(*_: object) -> bytes:
        raise AssertionError("scrypt again")

    monkeypatch.setattr(Scrypt, "derive", forbidden)
    key.update(lambda old: old.with_extra("note", 1))
    assert key.reload().extra == {"note": 1}


def test_every_write_has_a_nonce_of_its_own(store: KeyStore) -> None:
    file = store.create("ann", "correct horse")
    key = file.unlock("correct horse")
    seen = set()
    for _ in range(5):
        key.update(lambda old: old)
        seen.add(file.path.read_bytes())
    assert len(seen) == 5


def test_a_change_that_raises_writes_nothing_and_frees_the_lock(store: KeyStore) -> None:
    file = store.create("ann", "correct horse")
    key = file.unlock("correct horse")
    before = file.path.read_bytes()

    def fails(_: Secrets) -> Secrets:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        key.update(fails)
    assert file.path.read_bytes() == before
    assert key.update(lambda old: old.with_extra("yes", True)).extra == {"yes": True}


def test_a_full_disk_leaves_file_and_object_as_they_were(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    file = store.create("ann", "correct horse")
    key = file.unlock("correct horse")
    before = key.secrets

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(DtledgerError, match="free some space"):
            key.update(lambda old: old.with_extra("lost", True))
    assert key.secrets == before == file.unlock("correct horse").secrets

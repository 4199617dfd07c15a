"""Writing a file whole: crashes, full disks, and two who write at once."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtledger._backend.files import locked, parse_json, write_atomically
from dtledger._backend.folders import write_folder, write_zip
from dtledger.errors import DtledgerError

ROOT = Path(__file__).parents[1]

DYING_WRITER = """
import os, signal, sys
from pathlib import Path
from dtledger._backend.files import locked, write_atomically

left = int(sys.argv[2])

def dying(call):
    def counted(*arguments):
        global left
        left -= 1
        if left == 0:
            if call is real_write:
                real_write(arguments[0], arguments[1][: len(arguments[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments)
    return counted

real_write = os.write
with locked(Path(sys.argv[1])):
    for name in ("open", "write", "fsync", "replace", "close"):
        setattr(os, name, dying(getattr(os, name)))
    write_atomically(Path(sys.argv[1]), b"new" * 1000)
"""


DYING_FOLDER = """
import os, signal, sys
from pathlib import Path
from dtledger._backend import folders

os.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
os.replace = os.rename if sys.argv[2] == "zip" else os.replace
write = folders.write_zip if sys.argv[2] == "zip" else folders.write_folder
write(Path(sys.argv[1]), {"a/b.txt": b"private", "c.txt": b"private"})
"""


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir() if not each.name.endswith(".lock")}


@given(st.binary(max_size=200), st.binary(max_size=200))
@settings(deadline=None, max_examples=30)
def test_what_was_written_last_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, old: bytes, new: bytes
) -> None:
    file = tmp_path_factory.mktemp("any") / "file"
    write_atomically(file, old)
    write_atomically(file, new)
    assert file.read_bytes() == new
    assert names(file.parent) == {"file"}


def test_a_file_is_its_owners_alone_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    write_atomically(tmp_path / "private", b"x")
    write_atomically(tmp_path / "public", b"x", mode=0o644)
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "public").stat().st_mode) == 0o644


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    target, link = tmp_path / "dotfiles" / "config.toml", tmp_path / "config.toml"
    target.write_bytes(b"old")
    link.symlink_to(target)
    with locked(link):
        write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.slow
def test_a_writer_killed_at_any_call_leaves_the_old_bytes_or_the_new_and_no_lock(tmp_path: Path) -> None:
    file = tmp_path / "file"
    outcomes = []
    for call in range(1, 20):
        file.write_bytes(b"old")
        done = subprocess.run([sys.executable, "-c", DYING_WRITER, str(file), str(call)], cwd=ROOT, check=False)
        outcomes.append(file.read_bytes())
        assert outcomes[-1] in (b"old", b"new" * 1000)
        with locked(file, timeout=5):
            assert names(tmp_path) == {"file"}, "whoever locks next clears away what the dead one left"
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    assert done.returncode == 0, "the writer lives once there are more calls than it makes"
    assert outcomes[0] == b"old"
    assert outcomes[-2] == b"new" * 1000, "killed after the rename, the new bytes are there"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_what_a_killed_export_left_goes_with_the_next_of_its_name(tmp_path: Path, kind: str) -> None:
    mine, write = tmp_path / "mine", write_zip if kind == "zip" else write_folder
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", DYING_FOLDER, str(mine), kind], cwd=ROOT, check=False)
        assert done.returncode == -signal.SIGKILL
        (left,) = names(tmp_path)
        assert left.startswith(".mine."), "one: what the one before left is gone"
    write(mine, {"a/b.txt": b"whole"})
    assert names(tmp_path) == {"mine"}


def test_what_a_living_writer_writes_is_not_cleared_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two exports of one name at once the second waits for nobody, and takes nothing from the first."""
    mine, rename = tmp_path / "mine", os.rename

    def meanwhile(*paths: Path) -> None:
        monkeypatch.setattr(os, "rename", rename)
        with locked(mine):  # which clears away
            pass
        rename(*paths)

    monkeypatch.setattr(os, "rename", meanwhile)
    write_folder(mine, {"a.txt": b"one"})
    assert names(tmp_path) == {"mine"}
    assert (mine / "a.txt").read_bytes() == b"one"


@pytest.mark.parametrize(
    ("call", "number", "said"),
    [
        ("write", errno.ENOSPC, "free some space"),
        ("fsync", errno.EDQUOT, "free some space"),
        ("replace", errno.EACCES, "writable for your account"),
        ("open", errno.EROFS, "writable for your account"),
        ("write", errno.EIO, "unharmed"),
    ],
)
def test_a_write_that_fails_says_what_to_do_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, said: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")

    def failing(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing)
        with pytest.raises(DtledgerError) as raised:
            write_atomically(file, b"new")
    assert said in str(raised.value)
    assert file.read_bytes() == b"old"
    assert names(tmp_path) == {"file"}
    write_atomically(file, b"new")
    assert file.read_bytes() == b"new"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DtledgerError, match="Is there a folder"):
        write_atomically(tmp_path / "none" / "file", b"x")
    with pytest.raises(DtledgerError, match="Is there a folder"), locked(tmp_path / "none" / "file"):
        pass


def test_a_file_in_use_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    file = tmp_path / "file"
    refused: list[DtledgerError] = []

    def second() -> None:
        try:
            with locked(file, timeout=0.01):
                pass
        except DtledgerError as error:
            refused.append(error)

    with locked(file):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert "in use by another process" in str(refused[0])
    with locked(file, timeout=0.01):
        pass


def test_threads_that_read_change_and_write_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "count"
    file.write_text("0")

    def add() -> None:
        for _ in range(10):
            with locked(file):
                write_atomically(file, str(int(file.read_text()) + 1).encode())

    threads = [threading.Thread(target=add) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert file.read_text() == "40"


def test_clearing_leftovers_of_one_file_spares_those_of_another(tmp_path: Path) -> None:
    for name in (".a.k3x9.tmp", ".a.json.k3x9.tmp", ".b.k3x9.tmp"):
        (tmp_path / name).write_bytes(b"")
    with locked(tmp_path / "a"):
        assert names(tmp_path) == {".a.json.k3x9.tmp", ".b.k3x9.tmp"}


@pytest.mark.parametrize(
    "data",
    [b"[" * 60_000, b'{"a":' * 10_000, b'"' + b"a" * 70_000 + b'"', b"\xff", b"{", b'"[]"'.decode().encode("utf-16")],
    ids=["lists", "objects", "long", "bytes", "unfinished", "utf-16"],
)
def test_a_file_that_is_not_json_as_we_write_it_is_refused_even_with_a_raised_recursion_limit(data: bytes) -> None:
    pytest.importorskip("eth_account")  # raises the limit
    with pytest.raises(ValueError, match=r".+"):
        parse_json(data)
    assert parse_json(b'{"a": [1]}') == {"a": [1]}


def test_a_text_without_end_is_refused_before_anybody_looks_for_it_twice() -> None:
    """Of half a million quotes each was an opening one, and looked for its end in all that follow: hours."""
    lists, quotes = b"[[]" + b",[]" * 1_000, b',"' + b'\\"' * 500_000
    with pytest.raises(ValueError, match="Unterminated"):
        parse_json(lists + quotes, 2**20, most_depth=3)
    assert parse_json(lists + quotes + b'"]', 2**20, most_depth=3)[-1] == '"' * 500_000


def test_brackets_count_wherever_they_are_in_no_text() -> None:
    lists = b",[]" * 1_000
    with pytest.raises(ValueError, match="deeper"):
        parse_json(b'["\\"",[[[]]]' + lists + b"]", 2**20, most_depth=3)
    assert len(parse_json(b'["\\"[[[[",[[]]' + lists + b"]", 2**20, most_depth=3)) == 1_002


def test_a_name_twice_in_one_object_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        parse_json(b'{"a": {"b": 1, "\\u0062": 2}}')
    assert parse_json(b'{"a": {"b": 1, "c": 2}}') == {"a": {"b": 1, "c": 2}}

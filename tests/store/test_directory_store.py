"""A directory of blocks is whole after a crash, and a disk that fails leaves no trace of a block."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dtledger._backend.directory_store import LEFTOVER_SECONDS, DirectoryStore
from dtledger.encoding import CID, Codec, block_cid, verify_block
from dtledger.errors import DtledgerError, InputError, UnreachableError
from dtledger.store import BlockMissingError

BLOCKS: list[tuple[bytes, Codec]] = [(b"small", "raw"), (b"large" * 1000, "raw")]


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, function: str, code: int) -> Iterator[None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail)
        yield


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """The system itself stops a write halfway, with EFBIG."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_block_is_a_file_under_its_cid_that_others_cannot_read(tmp_path: Path) -> None:
    with DirectoryStore(tmp_path / "new" / "store") as store:
        store.put(b"hello", "raw")
        name = "blocks/ye/bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"
        assert files(tmp_path / "new" / "store") == [name]
        assert (tmp_path / "new" / "store" / name).stat().st_mode & 0o077 == 0


def test_blocks_outlive_the_store_that_wrote_them(tmp_path: Path) -> None:
    cids = DirectoryStore(tmp_path).put_many(BLOCKS)
    assert [DirectoryStore(tmp_path).get(cid) for cid in cids] == [data for data, _ in BLOCKS]


@pytest.mark.slow
def test_a_killed_writer_leaves_whole_blocks_and_all_that_it_said_it_kept(tmp_path: Path) -> None:
    program = """
import os, pathlib, sys
from dtledger._backend.directory_store import DirectoryStore
store = DirectoryStore(pathlib.Path(sys.argv[1]))
while True:
    for cid in store.put_many([(os.urandom(20_000), "raw") for _ in range(5)]):
        print(cid, flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline().strip() for _ in range(53)]
        os.kill(writer.pid, signal.SIGKILL)
    store = DirectoryStore(tmp_path)
    for text in said:
        assert len(store.get(CID.decode(text))) == 20_000
    for path in (tmp_path / "blocks").glob("*/*"):
        verify_block(CID.decode(path.name), path.read_bytes())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the path of an open file")
def test_a_file_is_synced_before_it_is_named_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DirectoryStore(tmp_path)
    done: list[str] = []
    sync, rename = os.fsync, os.replace

    def fsync(handle: int) -> None:
        place = Path(f"/proc/self/fd/{handle}").resolve()
        done.append(f"sync {place.relative_to(tmp_path).parts[0]} {'folder' if place.is_dir() else 'file'}")
        sync(handle)

    def replace(source: str, target: Path) -> None:
        done.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    store.put(b"block", "raw")
    assert done == ["sync incoming file", "sync blocks folder", "rename", "sync blocks folder"]


def test_a_full_disk_says_so_and_keeps_nothing_half(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    with files_at_most(1000), pytest.raises(DtledgerError, match=r"is full.*Free some space") as caught:
        store.put_many(BLOCKS)
    assert caught.value.exit_code == 1
    assert files(tmp_path) == []
    assert [store.get(cid) for cid in store.put_many(BLOCKS)] == [data for data, _ in BLOCKS]


@pytest.mark.parametrize(
    ("function", "code", "said"),
    [
        ("fsync", errno.ENOSPC, "is full.*Free some space"),
        ("replace", errno.EDQUOT, "is full.*Free some space"),
        ("replace", errno.EROFS, "Read-only file system.*the right to read and write"),
        ("replace", errno.EACCES, "Permission denied.*the right to read and write"),
        ("fsync", errno.EIO, "fails: Input/output error"),
    ],
)
def test_a_disk_that_refuses_says_how_and_keeps_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, code: int, said: str
) -> None:
    store = DirectoryStore(tmp_path)
    with failing(monkeypatch, function, code), pytest.raises(DtledgerError, match=said) as caught:
        store.put_many(BLOCKS)
    assert str(tmp_path) in str(caught.value)
    assert isinstance(caught.value, UnreachableError) == (code == errno.EIO)
    assert files(tmp_path) == []
    store.put_many(BLOCKS)
    assert len(files(tmp_path)) == len(BLOCKS)


def test_a_file_where_the_store_should_be_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.write_bytes(b"")
    with pytest.raises(InputError, match="not a directory"):
        DirectoryStore(place)
    place.unlink()
    assert DirectoryStore(place).describe() == f"the block store in {place}"


def test_leftovers_of_a_killed_writer_go_after_a_day_and_those_of_a_living_one_stay(tmp_path: Path) -> None:
    DirectoryStore(tmp_path)
    old, young = tmp_path / "incoming" / "old", tmp_path / "incoming" / "young"
    for path in (old, young):
        path.write_bytes(b"half a bl")
    now = young.stat().st_mtime
    os.utime(old, (now, now - LEFTOVER_SECONDS - 60))
    DirectoryStore(tmp_path)
    assert files(tmp_path) == ["incoming/young"]


def test_putting_a_damaged_block_again_mends_it(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    cid = store.put(b"block", "raw")
    file = next((tmp_path / "blocks").glob("*/*"))
    for damaged in (b"blocK", b"blo", b"block and more"):
        file.write_bytes(damaged)
        assert store.put(b"block", "raw") == cid
        assert store.get(cid) == b"block"


def test_a_removed_block_is_no_file_any_more(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    cids = store.put_many(BLOCKS)
    store.remove(cids)
    assert files(tmp_path) == []
    with pytest.raises(BlockMissingError):
        store.get(block_cid(b"small", "raw"))

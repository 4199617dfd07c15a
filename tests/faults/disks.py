"""A disk of a few megabytes that can be full or read-only.

It is a tmpfs where this account may mount one. Elsewhere it is a folder: full by a limit on the size of files that this
process may write, read-only by its permissions.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

MEGABYTES = 8


@dataclass(frozen=True)
class Disk:
    """`folder` lies on it."""

    folder: Path
    mounted: bool

    @contextmanager
    def full(self, *, no_other: bool = False) -> Iterator[None]:
        """Not a byte more fits while this lasts. With `no_other`, other disks must be as they were."""
        if not self.mounted and no_other:
            pytest.skip("without a mount every disk would be full")
        if not self.mounted:
            _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
            return
        filler = self.folder / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in (65_536, 1):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError:
                    continue
        try:
            yield
        finally:
            filler.unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Nothing on it changes while this lasts."""
        if self.mounted:
            assert _mount("-o", "remount,ro", self.folder), "a file on it is open for writing"
            try:
                yield
            finally:
                assert _mount("-o", "remount,rw", self.folder)
        elif os.geteuid() == 0:
            pytest.skip("root writes where it likes, and may not mount here")
        else:
            folders = [self.folder, *(each for each in self.folder.rglob("*") if each.is_dir())]
            for each in folders:
                each.chmod(0o500)
            try:
                yield
            finally:
                for each in folders:
                    each.chmod(0o700)

    @contextmanager
    def bad(self, how: str, *, no_other: bool = False) -> Iterator[None]:
        """``full`` or ``read-only``."""
        with self.full(no_other=no_other) if how == "full" else self.read_only():
            yield


@contextmanager
def small_disk(megabytes: int = MEGABYTES) -> Iterator[Disk]:
    # not among pytest's folders: if this process were killed, a mount there would be in the way of all later runs
    folder = Path(tempfile.mkdtemp(prefix="dtledger-small-disk-"))
    mounted = _mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", folder)
    try:
        yield Disk(folder, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=True)
        shutil.rmtree(folder)


def _mount(*words: str | Path) -> bool:
    try:
        return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False

"""A process that counts its writes and dies at one of them.

Every way to write is counted: system calls on files (a write at its half), SQLite's commits, and transactions as they
are sent. Death comes before the write that it is counted at, so a death after one is a death before the next. It is
SIGKILL: no `finally`, no `atexit`. With `power_cut` the machine dies with the process: what was written to a file
since its last fsync is lost, and a sync is one more write to die at. SQLite syncs its own files and is left alone; a
rename is taken to last.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from web3.eth import Eth

from dtledger.custodian.receipts import ReceiptLog

SYSTEM_CALLS = ("link", "rename", "replace", "unlink")


class Killer:
    """Kills this process at its write number `at`, counted from 1; never, if None. `folder` is where it writes."""

    def __init__(self, folder: Path, at: int | None, *, power_cut: bool) -> None:
        self._folder = folder
        self._at = at
        self._power_cut = power_cut
        self._synced = {_inode(path): path.stat().st_size for path in self._files()}
        self.writes: list[str] = []

    def point(self, what: str) -> None:
        """One write is about to happen, or was half done."""
        self.writes.append(what)
        if len(self.writes) == self._at:
            self._die()

    def watch(self) -> None:
        """Count the writes of this process from now on."""
        for name in SYSTEM_CALLS:
            self._watch(name)
        self._watch_sync()
        self._watch_write()
        self._watch_receipts()
        self._watch_sqlite()
        self._watch_chain()

    def _die(self) -> NoReturn:
        if self._power_cut:
            for path in self._files():
                synced = self._synced.get(_inode(path), 0)
                if path.stat().st_size > synced:
                    os.truncate(path, synced)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("a process outlived SIGKILL")

    def _files(self) -> list[Path]:
        return [path for path in self._folder.rglob("*") if path.is_file() and ".db" not in path.name]

    def _watch(self, name: str) -> None:
        real: Callable[..., Any] = getattr(os, name)

        def watched(*arguments: Any, **options: Any) -> Any:
            self.point(name)
            return real(*arguments, **options)

        setattr(os, name, watched)

    def _watch_sync(self) -> None:
        real = os.fsync

        def watched(descriptor: int) -> None:
            status = os.fstat(descriptor)
            if self._power_cut and stat.S_ISREG(status.st_mode):
                self.point("fsync")
                self._synced[status.st_dev, status.st_ino] = status.st_size
            real(descriptor)

        os.fsync = watched  # type: ignore[assignment]

    def _watch_write(self) -> None:
        real = os.write

        def watched(descriptor: int, data: Any) -> int:
            half = real(descriptor, data[: len(data) // 2])
            self.point("half a write")
            return half + real(descriptor, data[half:])

        os.write = watched

    def _watch_receipts(self) -> None:
        """The log is written through a buffer, where no system call can be seen."""
        real = ReceiptLog._write

        def watched(log: ReceiptLog, line: bytes) -> None:
            real(log, line[: len(line) // 2])
            self.point("half a receipt")
            real(log, line)

        ReceiptLog._write = watched  # type: ignore[method-assign]

    def _watch_sqlite(self) -> None:
        real, point = sqlite3.connect, self.point

        class Counted(sqlite3.Connection):
            def __exit__(self, *error: Any) -> Any:
                point("commit")
                return super().__exit__(*error)

        sqlite3.connect = lambda *arguments, **options: real(*arguments, factory=Counted, **options)  # type: ignore[assignment]

    def _watch_chain(self) -> None:
        real, point = Eth.send_raw_transaction, self.point

        def watched(eth: Eth, transaction: Any) -> Any:
            point("send")
            return real(eth, transaction)

        Eth.send_raw_transaction = watched  # type: ignore[method-assign]


def _inode(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino

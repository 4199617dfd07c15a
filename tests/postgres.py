"""A PostgreSQL server of the tests' own, from Debian's package: in a folder, behind a Unix socket, without a port.

It refuses to run as root; then it is another account's, and so is its folder.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_OPTIONS = {
    "listen_addresses": "''",
    "max_connections": "40",
    "shared_buffers": "16MB",
    "log_checkpoints": "off",
    "full_page_writes": "on",
    "fsync": "on",
    "synchronous_commit": "off",  # dtledger asks for what it needs
}


def find() -> Path | None:
    """The folder of its programs; Debian keeps it off the PATH."""
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((each for each in folders if (each / "initdb").exists() and (each / "pg_ctl").exists()), None)


def missing() -> str:
    """What is not here that a server needs, in one line; "" if all is."""
    if find() is None:
        return "there is no PostgreSQL server (apt-get install postgresql)"
    return "" if find_spec("psycopg") else 'there is no psycopg (pip install "dtledger[postgresql]")'


@dataclass(frozen=True)
class Cluster:
    """A server, running or not."""

    programs: Path
    folder: Path

    @property
    def url(self) -> str:
        return f"postgresql://dtledger@/postgres?host={self.folder}"

    def start(self, **options: str) -> None:
        words = " ".join(f"-c {name}={value}" for name, value in {**_OPTIONS, **options}.items())
        self._run("pg_ctl", "-l", self.folder / "log", "-w", "-o", f"-k {self.folder} {words}", "start")

    def wake(self) -> None:
        """Start it, if a test that failed left it down."""
        if not (self.folder / "data" / "postmaster.pid").exists():
            self.start()

    def stop(self, how: str = "immediate") -> None:
        """Without a word to anybody, and nothing written down but its log ahead."""
        self._run("pg_ctl", "-m", how, "-w", "stop")

    def initialise(self) -> None:
        self._run("initdb", "-A", "trust", "-U", "dtledger", "-E", "UTF8", "--locale=C")

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """As its administrator."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as link:
            found = link.execute(statement.encode())
            return found.fetchall() if found.description else []

    def clear(self) -> None:
        """Forget every schema of dtledger's."""
        names = self.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'dtledger%'")
        for (name,) in names:
            self.execute(f'DROP SCHEMA "{name}" CASCADE')

    def _run(self, program: str, *words: Any) -> None:
        account: dict[str, Any] = {}
        if os.geteuid() == 0:
            owner = self.folder.stat()
            account = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        command = [self.programs / program, "-D", self.folder / "data", *words]
        with tempfile.TemporaryFile() as told:  # not a pipe: the server would keep it open
            done = subprocess.run(command, stdout=told, stderr=told, cwd=self.folder, check=False, **account)
            told.seek(0)
            assert done.returncode == 0, told.read().decode(errors="replace")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A new one, until the end; nothing of it stays."""
    programs = find()
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="dtledger-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, *_account())
        made = Cluster(programs, folder)
        made.initialise()
        made.start()
        try:
            yield made
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                made.stop()


def _account() -> tuple[int, int]:
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    raise AssertionError("there is no account but root's")

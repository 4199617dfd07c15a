"""Letting an operation die at each of its writes, in a process of its own each time.

The processes are forked from one that has all imports done and nothing open, so a death costs milliseconds.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from dtledger.errors import DtledgerError
from tests.crash import broken as broken_copies
from tests.crash.killer import Killer

Operation = Callable[[Path], Any]
"""What is done in a home; a function of a module, so that another process can be told of it."""

FORKS = multiprocessing.get_context("forkserver")
"""Makes processes that share nothing with this one."""

FORKS.set_forkserver_preload(["tests.crash.operations", "tests.faults.revoked"])


@dataclass(frozen=True)
class Death:
    """How a process died: at which of its writes."""

    at: int
    power_cut: bool

    def __str__(self) -> str:
        return f"{'power cut' if self.power_cut else 'killed'} at write {self.at}"


def run_killed(operation: Operation, home: Path, death: Death | None, broken: str = "") -> list[str] | None:
    """Do it in a process of its own. None if that died as it was to, else the names of its writes."""
    receiver, sender = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=_victim, args=(sender, operation, home, death, broken))
    process.start()
    sender.close()
    with receiver:
        try:
            writes: list[str] | None = receiver.recv()
        except EOFError:
            writes = None
    process.join()
    expected = -signal.SIGKILL if writes is None else 0
    assert process.exitcode == expected, f"{operation.__name__} ended by itself with {process.exitcode}"
    process.close()
    return writes


def deaths(
    operation: Operation,
    home: Path,
    restore: Callable[[], None],
    *,
    power_cut: bool = False,
    broken: str = "",
    only: Iterable[int] | None = None,
) -> Iterator[Death]:
    """Each death of the operation, at the first write, the second and so on until it comes through alive, or at those
    in `only` that there are; after each, what it left is there to be looked at. `restore` is called before each."""
    for at in only or count(1):
        restore()
        death = Death(at, power_cut)
        if run_killed(operation, home, death, broken) is None:
            yield death
        elif only is None:
            return


def survived(
    operation: Operation, home: Path, restore: Callable[[], None], whole: Callable[[], None], **how: Any
) -> list[Death]:
    """Its deaths (`deaths` says how), after each of which `whole` found everything as it is to be.

    Raises:
        AssertionError: it did not; the death is named.
    """
    died = []
    for death in deaths(operation, home, restore, **how):
        try:
            whole()
        except (AssertionError, DtledgerError) as error:
            raise AssertionError(f"{death}: {error}") from error
        died.append(death)
    return died


def _victim(sender: Connection, operation: Operation, home: Path, death: Death | None, broken: str) -> None:
    if broken:
        broken_copies.BROKEN[broken]()
    killer = Killer(home, death.at if death else None, power_cut=bool(death and death.power_cut))
    killer.watch()
    operation(home)
    killer.point("the end")
    writes = list(killer.writes)
    with suppress(BrokenPipeError):
        sender.send(writes)
    sender.close()

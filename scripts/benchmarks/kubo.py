"""A kubo of its own for one run, in a folder that goes away with it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dtledger._backend.kubo_node import LocalKubo, find_kubo
from dtledger.errors import UnreachableError

from .figures import NotMeasuredError


def find() -> str:
    """The kubo to run.

    Raises:
        NotMeasuredError: there is none.
    """
    found = find_kubo()
    if found is None:
        raise NotMeasuredError("no kubo: scripts/kubo builds one, or DTLEDGER_IPFS names one")
    return found


@contextmanager
def daemon() -> Iterator[LocalKubo]:
    """A kubo that runs until the end of the block.

    Raises:
        NotMeasuredError: there is no kubo, or it does not start.
    """
    binary = find()
    with tempfile.TemporaryDirectory(prefix="dtledger-kubo-") as folder:
        running = LocalKubo(Path(folder) / "kubo", binary, offline=True)
        try:
            yield running.start()
        except UnreachableError as error:
            raise NotMeasuredError(error.message) from error
        finally:
            running.stop()

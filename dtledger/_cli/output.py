"""stdout, and what may be behind it: a full disk, or a reader who has read enough."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click

from ..errors import DtledgerError


class OutputError(DtledgerError):
    """What was done could not be told."""


def write(text: str) -> None:
    """A line on stdout.

    Raises:
        OutputError: the disk behind it is full, say. A reader who went away is no error, and passes.
    """
    try:
        click.echo(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"The output cannot be written: {error.strerror}.") from error


def abandon() -> None:
    """Let what is still in the buffer go nowhere, or Python tries to write it again at its end and exits with 120."""
    with suppress(OSError), open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())

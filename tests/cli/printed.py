"""Commands that the program prints for its user, taken apart so that a test can run them."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path


def words(command: str) -> list[str]:
    """What stands after the program, which is there: `dtledger`, or a Python and `-m dtledger`."""
    program, *rest = shlex.split(command)
    assert shutil.which(program) or Path(program).exists(), command
    return rest[2:] if rest[:2] == ["-m", "dtledger"] else rest

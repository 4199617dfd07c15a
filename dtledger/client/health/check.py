"""What was found in one part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = ["Check", "State", "exit_code"]


class State(Enum):
    """Warnings are not failures: everything works, or soon will not."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One part: what was found, what to mend, and the exit code that a failure stands for."""

    name: str
    state: State
    text: str
    mend: str = ""
    exit_code: int = 0


def exit_code(checks: Sequence[Check]) -> int:
    """What a run stands for: the code of the first failure, for those after it mostly follow from it; else 0."""
    return next((each.exit_code for each in checks if each.state is State.FAILED), 0)

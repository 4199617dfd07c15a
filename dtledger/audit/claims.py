"""A claim and its verdict.

>>> checked("cohort", "round 1", lambda: "3 twins").verdict.value
'pass'
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from ..errors import CannotCheckError, IntegrityError, UnreachableError


class Verdict(Enum):
    """What an auditor says of a claim."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    CANNOT_CHECK = "cannot check"


@dataclass(frozen=True, slots=True)
class Claim:
    """`name` is the kind of claim, `about` what it is made of, `evidence` a sentence."""

    name: str
    about: str
    verdict: Verdict
    evidence: str


def checked(name: str, about: str, look: Callable[[], str]) -> Claim:
    """The claim: passed if `look` returns its evidence, failed if it raises IntegrityError, not checked if it raises
    UnreachableError."""
    try:
        return Claim(name, about, Verdict.PASS, look())
    except IntegrityError as error:
        return Claim(name, about, Verdict.FAIL, error.message)
    except UnreachableError as error:
        return Claim(name, about, Verdict.CANNOT_CHECK, error.message)


def exit_code(claims: Iterable[Claim]) -> int:
    """0 if all pass, 4 if one fails, else 6."""
    verdicts = {each.verdict for each in claims}
    if Verdict.FAIL in verdicts:
        return IntegrityError.exit_code
    return CannotCheckError.exit_code if Verdict.CANNOT_CHECK in verdicts else 0

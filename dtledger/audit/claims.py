"""A claim and its verdict.

>>> checked("cohort", "round 1", lambda: "3 twins").verdict.value
'pass'
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from ..errors import CannotCheckError, IntegrityError, UnreachableError

_NONSENSE = (ArithmeticError, AssertionError, LookupError, RecursionError, TypeError, ValueError)


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
    UnreachableError. Nor is it checked if what is shown makes no sense at all, whoever showed it: the claims after it
    are made all the same."""
    try:
        return Claim(name, about, Verdict.PASS, look())
    except IntegrityError as error:
        return Claim(name, about, Verdict.FAIL, error.message)
    except UnreachableError as error:
        return Claim(name, about, Verdict.CANNOT_CHECK, error.message)
    except _NONSENSE as error:
        return Claim(name, about, Verdict.CANNOT_CHECK, f"What is shown makes no sense ({type(error).__name__}).")


def exit_code(claims: Iterable[Claim]) -> int:
    """0 if all pass, 4 if one fails, else 6."""
    verdicts = {each.verdict for each in claims}
    if Verdict.FAIL in verdicts:
        return IntegrityError.exit_code
    return CannotCheckError.exit_code if Verdict.CANNOT_CHECK in verdicts else 0

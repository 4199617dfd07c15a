"""What is asked for, and what is answered: the contents of letters, and how a request stands."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from ..custody import Letter
from ..errors import InputError, IntegrityError
from ..policy import SLOTS
from ..types import MAX_MINUTE, Address, Period
from ..vocabulary import Action, Purpose
from .terms import LONGEST_SECONDS, Terms

MOST_LETTERS = 500
"""How many letters and signs a reason has at most."""

ID_DIGITS = 40
"""A request's name is so many hexadecimal digits of its letter's digest: two with one name take 2^80 attempts."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody asks to be granted, in words, and why. It would begin when it is granted and hold for `seconds`;
    its data period is in unix minutes: without `data_from` from the snapshot under way when it is granted, without
    `data_until` until the grant ends. An end needs a beginning: else time alone could turn the period round."""

    categories: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    actions: tuple[Action, ...]
    seconds: int
    reason: str
    data_from: int | None = None
    data_until: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= LONGEST_SECONDS:
            raise InputError("What is asked for must hold for some time, and at most a hundred years.")
        if not self.reason.strip():
            raise InputError("A request says why.", hint="Say it in one plain sentence: --reason TEXT.")
        check_reason(self.reason)
        if Action.EMERGENCY in self.actions:
            raise InputError("EMERGENCY is nothing to ask for: the owner sets it up beforehand.")
        if any(len(set(each)) != len(each) for each in (self.categories, self.purposes, self.actions)):
            raise InputError("A request names nothing twice.")
        first, last = self.data_from, self.data_until
        if any(each is not None and not 0 <= each <= MAX_MINUTE for each in (first, last)):
            raise InputError("The data lie before 1970 or beyond what a grant can name.")
        if last is not None and (first is None or first > last):
            raise InputError("The data would end before they begin, or their beginning is not named.")
        Terms(self.categories, self.purposes, self.actions, 0, self.seconds, Period(0, 0))

    def terms(self, now: int) -> Terms:
        """What would be granted if it were granted whole now.

        Raises:
            InputError: the data would end before they begin.
        """
        ends = now + self.seconds
        first = now // 3600 * 60 if self.data_from is None else self.data_from
        last = min(ends // 60 if self.data_until is None else self.data_until, MAX_MINUTE)
        if first > last:
            raise InputError("The data would end before they begin.")
        return Terms(self.categories, self.purposes, self.actions, now, ends, Period(first, last))

    def require_within(self, terms: Terms, now: int) -> None:
        """Pass if `terms` are what was asked for, or less, when they are granted now (or were begun to be by then).

        Raises:
            InputError: they are more; it says in what.
        """
        data_from = now // 3600 * 60 if self.data_from is None else self.data_from
        data_until = terms.expires_at // 60 if self.data_until is None else self.data_until
        more = [
            name
            for name, within in (
                ("categories", set(terms.categories) <= set(self.categories)),
                ("purposes", set(terms.purposes) <= set(self.purposes)),
                ("actions", set(terms.actions) <= set(self.actions)),
                ("time", terms.expires_at - terms.not_before_at <= self.seconds),
                ("data", data_from <= terms.data.start and terms.data.end <= data_until),
            )
            if not within
        ]
        if more:
            raise InputError(
                f"That is more than was asked for: {', '.join(more)}.",
                hint="An answer may give less. `dtledger consent grant` gives what nobody asked for.",
            )

    def content(self, expires_at: int) -> dict[str, Any]:
        """What stands in the letter; `expires_at` is until when it can be answered."""
        return {
            "categories": list(self.categories),
            "purposes": [each.name for each in self.purposes],
            "actions": [each.name for each in self.actions],
            "seconds": self.seconds,
            "data": [self.data_from, self.data_until],
            "reason": self.reason,
            "expires": expires_at,
        }


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """What the owner answered. A yes names the slot that the grant goes into, and the revision that it had then: what
    was granted is what the ledger says. `at` is in unix seconds."""

    yes: bool
    number: int = 0
    revision: int = 0
    reason: str = ""
    at: int = 0

    def content(self) -> dict[str, Any]:
        """What stands in the letter."""
        return {"yes": self.yes, "slot": [self.number, self.revision], "reason": self.reason}


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """A request as one of its parties reads it, with the newest answer."""

    letter: Letter
    ask: Ask
    expires_at: int
    answer: ConsentAnswer | None = None

    @property
    def id(self) -> str:
        """What it is answered by: of another content it is another."""
        return self.letter.digest.hex()[:ID_DIGITS]

    @property
    def twin(self) -> int:
        return self.letter.twin

    @property
    def owner(self) -> Address:
        return self.letter.owner

    @property
    def member(self) -> Address:
        return self.letter.member

    @property
    def at(self) -> int:
        return self.letter.at

    def answered(self, answer: ConsentAnswer | None) -> ConsentRequest:
        """The same with another answer, or none."""
        return replace(self, answer=answer)


class RequestState(Enum):
    """How a request stands. AGREED is a yes whose grant has not come (yet); GRANTED one whose grant was given, whatever
    became of it since."""

    PENDING = "pending"
    EXPIRED = "expired"
    DENIED = "denied"
    AGREED = "agreed"
    GRANTED = "granted"


def read_request(letter: Letter, content: Any) -> ConsentRequest:
    """The request in an opened letter.

    Raises:
        IntegrityError: its member wrote something else.
    """
    match content:
        case {
            "categories": [*categories],
            "purposes": [*purposes],
            "actions": [*actions],
            "seconds": int(seconds),
            "data": [int() | None as data_from, int() | None as data_until],
            "reason": str(reason),
            "expires": int(expires_at),
            **rest,
        } if not rest:
            with suppress(InputError, KeyError, TypeError, ValueError):
                named = tuple(Purpose[each] for each in purposes), tuple(Action[each] for each in actions)
                ask = Ask(tuple(categories), *named, seconds, reason, data_from, data_until)
                ask.terms(letter.at)  # if it holds then, it holds ever after
                return ConsentRequest(letter, ask, expires_at)
    raise IntegrityError("a request for consent is malformed", party=letter.member)


def read_answer(letter: Letter, content: Any) -> ConsentAnswer:
    """The answer in an opened letter.

    Raises:
        IntegrityError: its owner wrote something else.
    """
    match content:
        case {"yes": bool(yes), "slot": [int(number), int(revision)], "reason": str(reason), **rest} if (
            not rest and 0 <= number < SLOTS
        ):
            with suppress(InputError):
                check_reason(reason)
                return ConsentAnswer(yes, number, revision, reason, letter.at)
    raise IntegrityError("an answer to a request is malformed", party=letter.owner)


def check_reason(text: str) -> None:
    """Pass if the text is one line that any terminal shows as it is.

    Raises:
        InputError: it is too long, or holds what a terminal obeys or does not show.
    """
    if len(text) > MOST_LETTERS:
        raise InputError(f"A reason has at most {MOST_LETTERS} letters.")
    if not text.isprintable():
        raise InputError("A reason is one line of plain text, without control characters or hidden ones.")

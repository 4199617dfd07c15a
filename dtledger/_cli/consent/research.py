"""Research terms on a consent receipt: in the words of a catalogue for people, and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...vocabulary import known_term
from .plain import plain_term


def in_words(words: dict[str, Any], terms: Iterable[str] | None) -> str:
    """The terms of a grant to train, in a catalogue's words: which of them nothing here enforces is said of each. None
    are terms that cannot be read."""
    if terms is None:
        return str(words["research_unread"])
    return "; ".join(_of_one(words, each) for each in terms) or str(words["research_none"])


def _of_one(words: dict[str, Any], written: str) -> str:
    term = known_term(written)
    if term is None:
        return str(words["research_unknown"].format(code=written))
    text = words["research_terms"][term.row.short]
    said = words["research_value"].format(text=text, value=term.value) if term.value else text
    return str(words["research_obliges"].format(term=said) if term.row.obliges else said)


def for_programs(terms: Iterable[str] | None) -> list[dict[str, Any]] | None:
    """The terms for JSON; of one that this version does not know nothing but how it is written."""
    if terms is None:
        return None
    unknown = {"text": None, "kept_by": None, "obligation": None}
    return [plain_term(term) if (term := known_term(each)) else {"term": each, **unknown} for each in terms]

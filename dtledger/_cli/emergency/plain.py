"""Openings in plain language, and for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import DtledgerError
from ...vocabulary import Cause, Finding
from ..app import App, rfc3339

if TYPE_CHECKING:
    from ...client import Told
    from ...types import Digest

CAUSES = ", ".join(f"{each.name} ({each.text})" for each in Cause)
FINDINGS = ", ".join(f"{each.name} ({each.text})" for each in Finding)


def plain(app: App, told: Told) -> dict[str, Any]:
    """An opening for JSON. Words that this key cannot read are null; `words_fault` says why they cannot be had."""
    opening, review = told.opening, told.review
    words, fault = _words(app, told)
    return {
        "opening": opening.number,
        "grant": app.people.grant(opening.slot),
        "twin": opening.slot.twin,
        "owner": app.people.plain(opening.slot.owner),
        "opener": app.people.plain(opening.opener),
        "organisation": app.people.plain(opening.slot.grantee),
        "cause": Cause(opening.cause).name,
        "words": words,
        "words_fault": fault,
        "at": rfc3339(opening.at),
        "closes_at": rfc3339(opening.closes_at),
        "closed": told.closed,
        "review_by": rfc3339(opening.review_by),
        "state": told.state.value,
        "review": None
        if review is None
        else {
            "reviewer": app.people.plain(review.reviewer),
            "finding": Finding(review.finding).name,
            "words": app.client.emergencies.found(opening.number, review) if _is_whole(app, review.text) else None,
            "at": rfc3339(review.at),
        },
    }


def row(app: App, told: Told) -> list[Any]:
    """An opening as a row of a table."""
    opening = told.opening
    state = told.state.value if told.review is None else f"{Finding(told.review.finding).name}, {told.state.value}"
    return [
        opening.number,
        app.time(opening.at),
        app.people.name(opening.opener),
        app.people.grant(opening.slot),
        Cause(opening.cause).name,
        "closed" if told.closed else f"until {app.time(opening.closes_at)}",
        state,
    ]


def _words(app: App, told: Told) -> tuple[str | None, str | None]:
    try:
        return app.client.emergencies.words(told.opening), None
    except DtledgerError as error:
        return None, str(error)


def _is_whole(app: App, text: Digest) -> bool:
    """Whether the store has words that were said; what it lacks hides nothing else."""
    from ...encoding import CID
    from ...types import ZERO_DIGEST

    if text == ZERO_DIGEST:
        return True
    try:
        app.client.context.store.get(CID(text))
    except DtledgerError:
        return False
    return True

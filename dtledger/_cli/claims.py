"""Claims and verdicts as people and programs read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from .app import App

if TYPE_CHECKING:
    from ..audit import Claim

COLOURS = {"pass": "green", "fail": "red", "cannot check": "yellow"}


def tell(app: App, schema: str, claims: Sequence[Claim], warnings: Sequence[str] = (), **values: Any) -> None:
    """Each claim in a line, how many there are of each verdict, and `warnings`; all of it and `values` as JSON."""
    names, subjects = (
        max(len(text) for text in texts) for texts in zip(*((c.name, c.about) for c in claims), strict=True)
    )
    for each in claims:
        verdict = click.style(f"{each.verdict.value:<12}", fg=COLOURS[each.verdict.value])
        app.show(f"{verdict}  {each.name:<{names}}  {each.about:<{subjects}}  {each.evidence}")
    counted = Counter(each.verdict.value for each in claims)
    app.say(", ".join(f"{counted[each]} {each}" for each in COLOURS))
    for what in warnings:
        app.say(f"{click.style('warning:', fg='yellow')} {what}")
    app.data(
        schema,
        **values,
        claims=[
            {"claim": each.name, "about": each.about, "verdict": each.verdict.value, "evidence": each.evidence}
            for each in claims
        ],
        **{each.replace(" ", "_"): counted[each] for each in COLOURS},
    )

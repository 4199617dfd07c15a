"""How claims are shown: one line each for people, and as they are for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from .app import App

if TYPE_CHECKING:
    from ..audit import Claim

COLOURS = {"pass": "green", "fail": "red", "cannot check": "yellow"}


def show_claims(app: App, claims: Sequence[Claim]) -> dict[str, Any]:
    """Show every claim and how many have which verdict; the same for programs."""
    wide, named = max(len(each.about) for each in claims), max(len(each.name) for each in claims)
    for each in claims:
        verdict = click.style(f"{each.verdict.value:<12}", fg=COLOURS[each.verdict.value])
        app.show(f"{verdict}  {each.name:<{named}}  {each.about:<{wide}}  {each.evidence}")
    counted = Counter(each.verdict.value for each in claims)
    app.say(", ".join(f"{counted[each]} {each}" for each in COLOURS))
    return {
        "claims": [
            {"claim": each.name, "about": each.about, "verdict": each.verdict.value, "evidence": each.evidence}
            for each in claims
        ],
        **{each.replace(" ", "_"): counted[each] for each in COLOURS},
    }

"""What is lost between FHIR and dtledger, as people and as JSON have it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..app import App
from ..words import visible

if TYPE_CHECKING:
    from ...fhir import Loss


def say_losses(app: App, losses: Iterable[Loss]) -> list[dict[str, Any]]:
    """Say each loss once; the same for JSON."""
    told = list(dict.fromkeys(losses))
    for each in told:
        app.say(f"  lost: {shown(each.path)}: {shown(each.words)}{' (so more is denied)' if each.denies else ''}")
    return [{"path": each.path, "loss": each.words, "denies": each.denies} for each in told]


def shown(text: str) -> str:
    """What a file says, in one line and without the colours that it may bring: one of them hides what follows."""
    return visible(text).replace("\n", "\\n")


def source(file: str) -> Any:
    """What `FILE|-` means."""
    return sys.stdin.buffer if file == "-" else Path(file).expanduser()

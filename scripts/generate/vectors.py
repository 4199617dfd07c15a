"""The vectors that forge and pytest share."""

from __future__ import annotations

from pathlib import Path

from tests import vectors


def render() -> dict[Path, str]:
    """Path → text of each."""
    return {vectors.FOLDER / name: vectors.text(name) for name in vectors.MADE}

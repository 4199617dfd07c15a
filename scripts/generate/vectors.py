"""The vectors that forge and pytest share, from the modules under tests/ that describe and make them."""

from __future__ import annotations

from pathlib import Path

from tests.contracts import vectors as contract_vectors
from tests.crypto import vectors as crypto_vectors


def render(root: Path) -> dict[Path, str]:
    """Path → text of each."""
    folder = root / "tests" / "vectors"
    return {folder / name: made.text(name) for made in (contract_vectors, crypto_vectors) for name in made.FILES}

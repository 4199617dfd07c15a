"""What is lost between a consent and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loss:
    """`path` is what is not carried over as it stands, `words` what becomes of it. `denies` is whether more is denied
    for it than it says; nothing is ever permitted for a loss."""

    path: str
    words: str
    denies: bool = False

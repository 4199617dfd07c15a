"""A number and what it counts."""

from __future__ import annotations


def number_of(count: int, noun: str) -> str:
    """
    >>> number_of(1, "twin"), number_of(1000, "twin")
    ('1 twin', '1,000 twins')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

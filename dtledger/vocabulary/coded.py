"""Numbers of a protocol that say what they mean."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class Coded(IntEnum):
    """An IntEnum whose members carry one plain sentence, `text`."""

    text: str

    def __new__(cls, value: int, text: str = "") -> Self:
        member = int.__new__(cls, value)
        member._value_ = value
        member.text = text
        return member

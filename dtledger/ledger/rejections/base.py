"""What the errors of the contracts have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from ...errors import LedgerRejection

_TIME = re.compile(r"(At|Until|^deadline)$")
_LAST = 253_402_300_799
"""9999-12-31, where datetime ends."""


class Rejection(LedgerRejection):
    """Base of those with a Solidity error. `template` is filled with the error's arguments."""

    solidity: ClassVar[str]
    template: ClassVar[str]
    advice: ClassVar[str] = ""

    def __init__(self, arguments: Mapping[str, Any], **evidence: Any) -> None:
        texts = {name: shown(name, value) for name, value in arguments.items()}
        super().__init__(self.template.format(**texts), hint=self.advice, **{**arguments, **evidence})


def shown(name: str, value: Any) -> str:
    """An argument as people read it: by its name a number may be a time.

    >>> shown("readyAt", 1798444416), shown("salt", b"\\1"), shown("twin", 7)
    ('2026-12-28 07:53:36 +0000', '0x01', '7')
    """
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if _TIME.search(name) and 0 < value <= _LAST:
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S %z}"
    return str(value)

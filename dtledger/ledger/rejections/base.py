"""What the errors of the contracts have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ...errors import LedgerRejection


class Rejection(LedgerRejection):
    """Base of those with a Solidity error. `template` is filled with the error's arguments."""

    solidity: ClassVar[str]
    template: ClassVar[str]
    advice: ClassVar[str] = ""

    def __init__(self, arguments: Mapping[str, Any], **evidence: Any) -> None:
        texts = {name: shown(value) for name, value in arguments.items()}
        super().__init__(self.template.format(**texts), hint=self.advice, **{**arguments, **evidence})


def shown(value: Any) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)

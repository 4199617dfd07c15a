"""A custodian whose node is late: nodes learn of a block one after the other, so it may not know yet of what its
asker's node has. It refuses as of an earlier block than the asker goes by, and is asked again for some seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ..errors import AccessDeniedError

T = TypeVar("T")

CATCH_UP_SECONDS = 5.0
"""How long a custodian whose node lacks the asker's block is asked again."""

PAUSE_SECONDS = 0.25


class Patience:
    """How much of it is left, from now on."""

    def __init__(self) -> None:
        self._until = time.monotonic() + CATCH_UP_SECONDS

    def pause(self) -> bool:
        """Wait for a moment; False at once if it is at its end."""
        if time.monotonic() >= self._until:
            return False
        time.sleep(PAUSE_SECONDS)
        return True


def is_late(as_of: int | None, block: int) -> bool:
    """Whether a refusal as of a block (None: it has nothing to do with one) is of one before the asker's."""
    return as_of is not None and as_of < block


def asked_in_time(ask: Callable[[], T], block: int) -> T:
    """What `ask` gives, which is asked again while it is refused as of an earlier block. Raises as `ask`."""
    patience = Patience()
    while True:
        try:
            return ask()
        except AccessDeniedError as error:
            if not is_late(error.as_of, block) or not patience.pause():
                raise

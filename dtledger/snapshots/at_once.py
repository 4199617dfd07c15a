"""Asking several at once, and not waiting for ever for any of them.

>>> answers = at_once({"a": lambda: 1, "b": lambda: 1 // 0}, enough=1)
>>> answers["a"]()
1
>>> answers["b"]()
Traceback (most recent call last):
ZeroDivisionError: integer division or modulo by zero
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NoReturn, TypeVar

from ..errors import UnreachableError

K = TypeVar("K")
T = TypeVar("T")

SECONDS = 60.0
"""How long anybody is waited for."""

GRACE_SECONDS = 5.0
"""How long for the others, once enough have answered."""


def at_once(
    calls: Mapping[K, Callable[[], T]], *, enough: int, seconds: float | None = None, grace: float | None = None
) -> dict[K, Callable[[], T]]:
    """Make all calls, each in a thread, and give each one's outcome as a call that returns or raises it.

    A call that is not done after `seconds` (by default `SECONDS`), or `grace` (`GRACE_SECONDS`) after `enough` of them
    returned, is left alone: its outcome is an `UnreachableError`, and its thread keeps nobody from ending.
    """
    seconds = SECONDS if seconds is None else seconds
    grace = GRACE_SECONDS if grace is None else grace
    outcomes: dict[K, Callable[[], T]] = {}
    changed = threading.Condition()
    returned = 0

    def run(key: K, call: Callable[[], T]) -> None:
        nonlocal returned
        outcome: Callable[[], T]
        try:
            outcome, good = partial(_give, call()), 1
        except BaseException as error:  # noqa: BLE001 raised again where its outcome is asked for
            outcome, good = partial(_raise, error), 0
        with changed:
            outcomes[key] = outcome
            returned += good
            changed.notify()

    for key, call in calls.items():
        threading.Thread(target=run, args=(key, call), daemon=True).start()
    deadline = time.monotonic() + seconds
    with changed:
        changed.wait_for(lambda: len(outcomes) == len(calls) or returned >= enough, seconds)
        left = min(deadline - time.monotonic(), grace)
        changed.wait_for(lambda: len(outcomes) == len(calls), max(left, 0))
        late = partial(_raise, UnreachableError("It did not answer in time."))
        return {key: outcomes.get(key, late) for key in calls}


def _give(value: T) -> T:
    return value


def _raise(error: BaseException) -> NoReturn:
    raise error

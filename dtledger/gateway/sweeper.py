"""The sweeper: what this gateway wrote of a twin whose retirement is final goes from its store, and what it keeps of
that twin from its own disk, without being asked.

It goes by the ledger alone, as a custodian does that is told to destroy its keys: final at the head and at the final
block, by the earlier of chain and clock. What others wrote it leaves to them, and packages to patients.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence

from ..client import Context
from ..encoding import CID
from ..snapshots.erasing import Eraser
from ..store import BlockStore
from .queue import ReadingQueue

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0

Forget = Callable[[Collection[int]], object]
"""Forgets what is kept of these twins; again, it changes nothing."""


def ended(context: Context) -> set[int]:
    """The twins whose retirement is final. Raises UnreachableError: the ledger does not answer."""
    now = context.now()
    return set(now.tip.view.ended(now.earliest)) & set(now.tip.final.ended(now.earliest))


def letters(store: BlockStore, queue: ReadingQueue) -> Forget:
    """Removes what was sealed to owners of such twins: nobody can adopt it any more."""

    def forget(twins: Collection[int]) -> None:
        if found := queue.letters_of(twins):
            store.remove([CID.decode(each) for each in found])
            queue.forget_letters(found)

    return forget


class Sweeper:
    """Sweeps one gateway's store, and lets each of `forget` forget. After a restart it looks at each twin once more:
    what is gone stays gone.

    `blocks` counts what was removed since the start.
    """

    def __init__(self, context: Context, forget: Sequence[Forget] = ()) -> None:
        self._context = context
        self._forget = forget
        self._done: set[int] = set()
        self.blocks = 0

    def run(self, stop: threading.Event, wait: Callable[[float], object] | None = None) -> None:
        """Step once a minute until `stop` is set."""
        wait = wait or stop.wait
        while not stop.is_set():
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 whatever it is, it is tried again
                log.warning("something of ended twins is still here: %s", type(error).__name__)
            wait(LOOK_SECONDS)

    def step(self) -> int:
        """Erase what is to go; returns how many blocks went.

        Raises:
            UnreachableError: ledger or store does not answer.
            DtledgerError: the queue cannot be written.
        """
        context, over = self._context, ended(self._context) - self._done
        for each in self._forget:
            each(over)
        before = self.blocks
        for twin in sorted(over):
            me = context.key.address
            erased = Eraser(context.deployment, context.view(), context.store, twin, writer=me).erase()
            self.blocks += erased.blocks
            if not erased.left and me not in erased.faults:
                self._done.add(twin)
        return self.blocks - before

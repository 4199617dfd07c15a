"""The sweeper: what this gateway wrote of a twin whose retirement is final goes from its store, without being asked.

It goes by the ledger alone, as a custodian does that is told to destroy its keys: final at the head and at the final
block, by the earlier of chain and clock. What others wrote it leaves to them, and packages to patients.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ..client import Context
from ..snapshots.erasing import Eraser

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0


class Sweeper:
    """Sweeps one gateway's store. After a restart it looks at each twin once more: what is gone stays gone.

    `blocks` counts what was removed since the start.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._done: set[int] = set()
        self.blocks = 0

    def run(self, stop: threading.Event, wait: Callable[[float], object] | None = None) -> None:
        """Step once a minute until `stop` is set."""
        wait = wait or stop.wait
        while not stop.is_set():
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 whatever it is, it is tried again
                log.warning("ended twins are still in the store: %s", type(error).__name__)
            wait(LOOK_SECONDS)

    def step(self) -> int:
        """Erase what is to go; returns how many blocks went.

        Raises:
            UnreachableError: ledger or store does not answer.
        """
        context, now = self._context, self._context.now()
        ended = set(now.tip.view.ended(now.earliest)) & set(now.tip.final.ended(now.earliest)) - self._done
        before = self.blocks
        for twin in sorted(ended):
            me = context.key.address
            erased = Eraser(context.deployment, now.tip.view, context.store, twin, writer=me).erase()
            self.blocks += erased.blocks
            if not erased.left and me not in erased.faults:
                self._done.add(twin)
        return self.blocks - before

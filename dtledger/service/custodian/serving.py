"""A custodian's service, put together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...errors import ChainMismatchError, DtledgerError, UnreachableError
from ..app import Service
from ..metrics import Metrics
from ..settings import ServiceSettings
from .endpoints import custodian_router
from .settings import CUSTODIAN
from .state import State
from .watch import Watch

__all__ = ["custodian_service"]

log = logging.getLogger(__name__)


@contextmanager
def custodian_service(settings: ServiceSettings, clock: Callable[[], int]) -> Iterator[Service]:
    """The service of the custodian that these settings are of, while its files are open.

    A node that does not answer keeps nobody from starting: the service is not ready, and becomes it. One of another
    chain does.

    Raises:
        ChainMismatchError: its node serves another chain than the deployment's.
        DtledgerError: as `State.open`.
    """
    with State.open(settings, clock) as state:
        try:
            state.ledger.head()
        except ChainMismatchError:
            raise
        except UnreachableError:
            log.warning("the node does not answer yet: nothing is given until it does")
        metrics = Metrics(CUSTODIAN)
        watch = Watch(state, metrics, clock, settings["heartbeats"])
        anchoring = _Anchoring(state, settings["anchor_minutes"] * 60)
        yield Service(
            CUSTODIAN,
            "A custodian of dtledger",
            custodian_router(state.custodian),
            metrics,
            watch.checks(),
            anchoring.start,
            anchoring.stop,
        )


class _Anchoring:
    """Anchors the log now and then. What fails is tried again the next time."""

    def __init__(self, state: State, seconds: float) -> None:
        self._state = state
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="anchoring of receipts", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                self._state.custodian.anchor()
            except DtledgerError as error:
                log.warning("the receipts could not be anchored: %s", type(error).__name__)

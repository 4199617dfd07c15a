"""A custodian's service, put together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ...audit.taking import ProofTaker
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
        jobs = [_Job("anchoring of receipts", settings["anchor_minutes"] * 60, state.custodian.anchor)]
        if settings["proof_seconds"]:
            jobs.append(_Job("taking of proofs", settings["proof_seconds"], lambda: _take(state.proofs)))
        yield Service(
            CUSTODIAN,
            "A custodian of dtledger",
            custodian_router(state.custodian),
            metrics,
            watch.checks(),
            lambda: _each(_Job.start, jobs),
            lambda: _each(_Job.stop, jobs),
        )


def _take(proofs: ProofTaker) -> None:
    missed = proofs.step().missed
    if missed:
        log.warning("the node has no state of %d blocks in which consents were written", len(missed))


def _each(do: Callable[[_Job], None], jobs: Sequence[_Job]) -> None:
    for job in jobs:
        do(job)


class _Job:
    """Done now and then, in a thread of its own. What fails is tried again the next time."""

    def __init__(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        self._name = name
        self._seconds = seconds
        self._work = work
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                self._work()
            except DtledgerError as error:
                log.warning("%s failed: %s", self._name, type(error).__name__)

"""Readers who ask every custodian over HTTP as fast as they can, below the SDK: they do not ask the rule first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter

from dtledger.crypto.seal import SealKey
from dtledger.custody import CustodianPort, SealedShare
from dtledger.errors import AccessDeniedError, DtledgerError, LimitPassedError, UnreachableError
from dtledger.snapshots.finder import Found
from dtledger.types import Address

from .asking import Asker, shares


@dataclass(frozen=True, slots=True)
class Shot:
    """One request to one custodian: when it was sent and answered (seconds of `perf_counter`), and with what; `unable`
    is a custodian that could not decide."""

    custodian: Address
    sent: float
    answered: float
    permitted: bool
    unable: bool = False


class Hammer:
    """So many readers, each in a thread, until `over` says so of the shots that were answered; it is asked under a
    lock, after each. A custodian that cannot answer ends its reader, unless `faulty`: then it has not permitted."""

    def __init__(
        self,
        asker: Asker,
        found: Sequence[Found],
        readers: int,
        over: Callable[[Sequence[Shot]], bool],
        *,
        faulty: bool = False,
    ) -> None:
        self._asker, self._found, self._over, self._faulty = asker, found, over, faulty
        self.errors: list[DtledgerError] = []
        """What readers met that is no refusal; such a reader has ended."""
        self._shots: list[Shot] = []
        self._ended = False
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(place,)) for place in range(readers)]

    def start(self) -> None:
        for each in self._threads:
            each.start()

    def end(self) -> list[Shot]:
        """Wait until all readers have ended; their shots."""
        for each in self._threads:
            each.join()
        return self._shots

    def _run(self, place: int) -> None:
        try:
            custodians = self._asker.client.context.custodians
            named = [each.custodian for each in self._found[0].custody.shares]
            ports = [(custodians[each], shares(self._found, at)) for at, each in enumerate(named)]
            one_use = SealKey.generate()
            turns = cycle(ports[place % len(ports) :] + ports[: place % len(ports)])
            while not self._ended:
                self._shoot(*next(turns), one_use)
        except DtledgerError as error:
            self.errors.append(error)
            self._ended = True

    def _shoot(self, port: CustodianPort, sealed: list[SealedShare], one_use: SealKey) -> None:
        request = self._asker.request(self._found, one_use)
        sent, permitted, unable = perf_counter(), False, False
        try:
            permitted = not port.open(request, sealed).refused
        except LimitPassedError:
            raise  # says nothing of consent
        except AccessDeniedError:
            pass
        except UnreachableError:
            if not self._faulty:
                raise
            unable = True
        shot = Shot(port.address, sent, perf_counter(), permitted, unable)
        with self._lock:
            self._shots.append(shot)
            self._ended = self._ended or self._over(self._shots)

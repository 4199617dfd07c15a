"""Custodians as services: the URLs of a profile, and which of a roster's custodians answers at each.

Each URL is asked, when a custodian is first needed, to sign a number: a roster names addresses, and a URL that lies
about its own gets nobody's place. One that does not answer is not there, as a custodian that is dead is not; after a
while it is asked again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from .._backend.http_custodian import HttpCustodian, identify
from ..custody import CustodianPort
from ..errors import DtledgerError
from ..ledger import Deployment
from ..snapshots.at_once import at_once
from ..types import Address

__all__ = ["Services"]

ASK_SECONDS = 5.0
"""How long a URL has to say who it is."""

AGAIN_SECONDS = 30.0
"""How long one that did not is left alone."""


class Services(Mapping[Address, CustodianPort]):
    """The custodians at these URLs, in the order in which the profile names them."""

    def __init__(self, urls: Sequence[str], deployment: Deployment) -> None:
        self._urls = tuple(urls)
        self._deployment = deployment
        self.faults: dict[str, DtledgerError] = {}
        """URL → why nobody is there, of those that were asked."""
        self._ports: dict[str, HttpCustodian] = {}
        self._ask_again = 0.0
        self._lock = threading.Lock()

    def __getitem__(self, address: Address) -> CustodianPort:
        return self._known()[address]

    def __iter__(self) -> Iterator[Address]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())

    def _known(self) -> dict[Address, HttpCustodian]:
        with self._lock:
            missing = [url for url in self._urls if url not in self._ports]
            if missing and time.monotonic() >= self._ask_again:
                self._ask(missing)
                self._ask_again = time.monotonic() + AGAIN_SECONDS
            known: dict[Address, HttpCustodian] = {}
            for url in self._urls:  # of two URLs of one custodian the first counts
                if url in self._ports:
                    known.setdefault(self._ports[url].address, self._ports[url])
            return known

    def _ask(self, urls: Sequence[str]) -> None:
        asked = {url: partial(identify, url, self._deployment) for url in urls}
        for url, answer in at_once(asked, enough=len(asked), seconds=ASK_SECONDS).items():
            try:
                self._ports[url] = HttpCustodian(url, answer().custodian)
                self.faults.pop(url, None)
            except DtledgerError as error:
                self.faults[url] = error

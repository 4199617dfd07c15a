"""The custodians of a world as services: the same suite asks them over a real connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from dtledger._backend.http_custodian import HttpCustodian
from dtledger.custody import (
    AccessReceipt,
    Destruction,
    Letter,
    LettersRequest,
    OwnerRequest,
    Probe,
    ProbeReply,
    ReadRequest,
    ReceiptProof,
    Release,
    RetireOrder,
    SealedShare,
    TwinKey,
)
from dtledger.service.app import Service
from dtledger.service.custodian.endpoints import custodian_router
from dtledger.service.metrics import Metrics
from dtledger.service.server import Running
from dtledger.testing import World, WorldCustodian
from dtledger.types import Digest
from tests.service.toy import toy_settings


class Standin:
    """Whichever custodian is served at present: a server is started once and serves many worlds."""

    target: Any = None
    url = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.target, name)


@contextmanager
def served(count: int) -> Iterator[list[Standin]]:
    """So many services of custodians that are yet to be named."""
    with ExitStack() as stack:
        standins = [Standin() for _ in range(count)]
        for each in standins:
            service = Service("custodian", "A custodian", custodian_router(each), Metrics("custodian"))  # type: ignore[arg-type]
            each.url = stack.enter_context(Running(service, toy_settings())).url
        yield standins


@contextmanager
def written() -> Iterator[None]:
    """What no bytes can say never comes to a service."""
    try:
        yield
    except ValueError as error:
        pytest.skip(str(error))


class OverHttp:
    """A custodian asked over HTTP; everything else of it is its own, so that a test may look inside."""

    __slots__ = ("__dict__", "_behind", "_port")
    distant = True

    def __init__(self, custodian: WorldCustodian, url: str) -> None:
        self.__dict__ = custodian.__dict__
        self._behind, self._port = custodian, HttpCustodian(url, custodian.address)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def close(self) -> None:
        self._port.close()

    def twin_key(self, request: OwnerRequest) -> TwinKey:
        return self._port.twin_key(request)

    def open(self, request: ReadRequest, shares: Sequence[SealedShare]) -> Release:
        with written():
            return self._port.open(request, shares)

    def open_recovery(self, request: ReadRequest, share: SealedShare) -> Release:
        with written():
            return self._port.open_recovery(request, share)

    def receipts(self, request: OwnerRequest) -> list[AccessReceipt]:
        return self._port.receipts(request)

    def digests(self, request: OwnerRequest) -> list[tuple[Digest, ...]]:
        return self._port.digests(request)

    def probe(self, probe: Probe) -> ProbeReply:
        return self._port.probe(probe)

    def destroy(self, request: OwnerRequest) -> Destruction:
        return self._port.destroy(request)

    def retire(self, order: RetireOrder) -> Destruction:
        return self._port.retire(order)

    def receipt_proof(self, request: OwnerRequest) -> ReceiptProof | None:
        return self._port.receipt_proof(request)

    def leave(self, letter: Letter) -> None:
        with written():
            self._port.leave(letter)

    def letters(self, request: LettersRequest) -> list[Letter]:
        return self._port.letters(request)


@contextmanager
def over_http(world: World, standins: Sequence[Standin]) -> Iterator[World]:
    """The world, with each custodian a service; its clients ask them there."""
    own = dict(world._custodians)
    asked = []
    for standin, (address, custodian) in zip(standins, own.items(), strict=True):
        standin.target = custodian
        asked.append(OverHttp(custodian, standin.url))
        world._custodians[address] = asked[-1]  # type: ignore[assignment]
    try:
        yield world
    finally:
        world._custodians.update(own)
        for each in asked:
            each.close()

"""A read over a wire on which every body is recorded, as if nothing were around them."""

from __future__ import annotations

import secrets as random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from dtledger.client import Client
from dtledger.crypto.seal import SEED_BYTES, SealKey
from dtledger.custody import ReadRequest, Release, SealedShare
from dtledger.custody.wire import decode_release, encode_read, encode_release
from dtledger.testing import World, WorldCustodian
from dtledger.types import Digest, Period


@dataclass(frozen=True)
class Read:
    """What a read left behind: the snapshots that it opened, every answer as it was sealed, and the keys that they
    were sealed to, which the reader forgot."""

    fetched: frozenset[Digest]
    answers: tuple[bytes, ...]
    one_use: tuple[SealKey, ...]


class _Tapped:
    """A custodian behind that wire."""

    def __init__(self, custodian: WorldCustodian, tape: list[bytes]) -> None:
        self._custodian, self._tape = custodian, tape

    def __getattr__(self, name: str) -> Any:
        return getattr(self._custodian, name)

    def open(self, request: ReadRequest, shares: Sequence[SealedShare]) -> Release:
        release = self._custodian.open(request, shares)
        self._tape += [encode_read(request, shares), encode_release(release)]
        return release


def tapped_read(world: World, who: Client, period: Period) -> Read:
    """Glucose of that period, to treat."""
    tape: list[bytes] = []
    drawn: list[SealKey] = []

    def draw() -> SealKey:
        drawn.append(SealKey(random.token_bytes(SEED_BYTES)))
        return drawn[-1]

    ports: Any = {each.address: _Tapped(each, tape) for each in world.custodians}
    context = who.context
    with (
        Client(context.ledger, context.store, ports, context.key, context.clock) as client,
        patch.object(SealKey, "generate", draw),
    ):
        readings = client.read(world.twin, "glucose", "TREAT", since=period.start * 60, until=period.end * 60)
    fetched = frozenset(Digest(bytes.fromhex(each.snapshot)) for each in readings)
    return Read(fetched, tuple(decode_release(body).sealed for body in tape[1::2]), tuple(drawn))

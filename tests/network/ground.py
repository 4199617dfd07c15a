"""What all tests on validators stand on: one network, and people with money on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dtledger._backend.evm import EvmLedger
from dtledger.testing import MemoryKey
from scripts.benchmarks.figures import NotMeasuredError
from scripts.benchmarks.network import network_world
from scripts.benchmarks.world import World as Services
from scripts.networking.network import Network

_AT_ONCE = 60
"""Keys that are paid together."""


class Ground:
    """A network that runs, with its services, and people at `services`."""

    def __init__(self, network: Network, services: Services) -> None:
        self.network = network
        self.services = services
        self._drawn: list[MemoryKey] = []

    def key(self, name: str) -> MemoryKey:
        """A new key that can pay."""
        if not self._drawn:
            self._drawn = [MemoryKey("somebody") for _ in range(_AT_ONCE)]
            self.network.devnet.pay([each.address for each in self._drawn])
        key = self._drawn.pop()
        key.name = name
        return key

    def node(self, number: int) -> EvmLedger:
        """The network's own contracts, by one validator."""
        url = self.network.devnet.validators[number].rpc_url
        return EvmLedger(url, self.services.operator.context.deployment)


@contextmanager
def started() -> Iterator[Ground]:
    try:
        with network_world({"anchor_minutes": 1}) as (network, services):
            yield Ground(network, services)
    except NotMeasuredError as lack:
        pytest.skip(str(lack))

"""What all tests on validators stand on: one network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dtledger._backend.evm import EvmLedger
from scripts.benchmarks.figures import NotMeasuredError
from scripts.benchmarks.network import network_world
from scripts.benchmarks.world import World as Services
from scripts.networking.network import Network


class Ground:
    """A network that runs, with its services, and people at `services`."""

    def __init__(self, network: Network, services: Services) -> None:
        self.network = network
        self.services = services

    def node(self, number: int) -> EvmLedger:
        """The network's own contracts, by one validator."""
        url = self.network.devnet.validators[number].rpc_url
        return EvmLedger(url, self.services.operator.context.deployment)


@contextmanager
def started() -> Iterator[Ground]:
    try:
        with network_world() as (network, services):
            yield Ground(network, services)
    except NotMeasuredError as lack:
        pytest.skip(str(lack))

"""Every log that a deployment's contracts ever made, as a chain that is looked at whole proves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..ledger import CONTRACTS, Deployment
from .chain import Chain
from .proofs import bloom_bits


def proved_logs(
    chain: Chain, deployment: Deployment, progress: Callable[[int, int], None] | None = None
) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Block, place in the block, topics one after another, and data of each log, in the chain's order. `progress` is
    told blocks looked at, and all. Raises as `Chain.logs_with`."""
    chain.require_whole()
    addresses = {bytes.fromhex(deployment.contracts[name][2:]) for name in CONTRACTS[1:]}
    filters = list(map(bloom_bits, addresses))
    for number in range(deployment.block, chain.head.number + 1):
        header = chain.header(number)
        if any(map(header.may_hold, filters)):
            for log in chain.logs(number):
                if log.address in addresses:
                    yield number, log.place, b"".join(log.topics), log.data
        if progress:
            progress(number, chain.head.number)

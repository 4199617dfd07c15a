"""The same on five validators: what a block that others must agree to costs, beside Anvil's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from types import MappingProxyType

from dtledger.errors import InputError
from dtledger.home import Home
from scripts.networking.network import Network
from scripts.networking.processes import kill
from scripts.networking.validators import find_binary

from .bench import Bench
from .figures import Goal, NotMeasuredError, Rival, Row
from .racing import race, row
from .revoking import revoked
from .world import NO_LIMITS, World, peopled

BLOCK_MS = 2_000
"""The least time between two blocks of the C-Chain as the local network has it (ACP-226)."""
_KILLED = 2
"""Whose validator dies in the race: the second custodian's."""


@contextmanager
def network_world(settings: Mapping[str, int] = MappingProxyType({})) -> Iterator[tuple[Network, World]]:
    """A network in a folder of its own, with people on it; it ends with the block. `settings` are its custodians'.

    Raises:
        NotMeasuredError: avalanchego or kubo is not there.
    """
    with tempfile.TemporaryDirectory(prefix="dtledger-network-") as folder, ExitStack() as stack:
        try:
            find_binary()
            network = Network(Home(Path(folder) / "home", "bench"), {**NO_LIMITS, **settings})
        except InputError as lack:
            raise NotMeasuredError(f"{lack.message} {lack.hint}") from lack
        stack.callback(network.down)
        network.up()
        yield network, peopled(network.devnet, network.custodians, stack, network.kubos[2].address)


def _network(bench: Bench) -> tuple[Network, World]:
    return bench.once("network", lambda: bench.stack.enter_context(network_world()))


def final(bench: Bench) -> Row:
    """From sending a grant to its receipt, in a block that nothing replaces."""
    _, world = _network(bench)
    ours, anvils = _grants(world, bench.sizes.rounds), _grants(bench.world(), bench.sizes.rounds)
    return Row(
        "from sending a grant to its receipt in a final block on five validators, p50",
        median(ours),
        "ms",
        rivals=(Rival("Anvil, which asks nobody", median(anvils)),),
        beside=f"at worst {max(ours):.0f} ms, Anvil {max(anvils):.0f} ms; a block comes at least {BLOCK_MS / 1000:g} s "
        "after the one before it, and is final when a node has it",
    )


def _grants(world: World, count: int) -> list[float]:
    """Milliseconds of each."""
    consent, found = world.twin(), []
    for _ in range(count):
        begun = perf_counter()
        world.patient.consents.grant(consent.twin, consent.grantee, world.terms(), consent.number)
        found.append((perf_counter() - begun) * 1000)
    return found


def revocation(bench: Bench) -> Row:
    _, world = _network(bench)
    goal = Goal("≤ one block + 100 ms", BLOCK_MS + 100)
    return revoked(world, bench.sizes.rounds, goal, "five validators, a custodian at each of three others' nodes")


def racing(bench: Bench) -> Row:
    network, world = _network(bench)
    folder = network.devnet.validators[_KILLED].folder
    ran = race(world, bench.sizes.race[1], lambda: kill(folder))
    network.devnet.validators.start()
    return row(ran, ", over custodians on three validators, one of which is killed meanwhile")


ROWS = {"network-final": final, "network-revocation": revocation, "network-race": racing}

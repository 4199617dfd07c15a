"""A relay of a world's gateway, whose pump is stepped by whoever asks it to carry something."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dtledger._backend.queue_file import QueueFile
from dtledger._backend.quota_file import QuotaFile
from dtledger._backend.relay_tables import RelayTables, Standing
from dtledger.gateway.allowance import Allowance, RelayLimits
from dtledger.gateway.relay import Relay
from dtledger.gateway.relay_pump import RelayPump
from dtledger.ledger import Sender
from dtledger.ledger.lanes import Fees
from dtledger.testing import World

USUAL = RelayLimits()


@dataclass
class Carrying:
    """Its parts."""

    tables: RelayTables
    pump: RelayPump
    relay: Relay

    def carry(self, contract: str, data: bytes) -> Standing:
        """Have the call carried, and wait until it is in a block. Raises as `Relay.accept`, and what it is refused
        with."""
        future = self.pump.watch(self.relay.accept(contract, data))
        while not future.done():
            self.pump.step()
        return future.result()

    def empty(self) -> None:
        """Step until nothing waits and nothing is under way."""
        load = self.tables.load()
        while load.waiting or load.in_flight:
            self.pump.step()
            load = self.tables.load()


@contextmanager
def carrying_for(
    world: World, limits: RelayLimits = USUAL, folder: Path | None = None, payers: Sequence[Sender] = ()
) -> Iterator[Carrying]:
    """A relay whose records lie in the folder, by default in one of its own."""
    with tempfile.TemporaryDirectory() as own, closing(QueueFile((folder or Path(own)) / "queue.db")) as file:
        context, tables = world.gateway.context, RelayTables(file)
        lanes = [context.ledger.lane(each, tables, Fees()) for each in payers or [context.key]]
        allowance = Allowance(QuotaFile(None), limits, world.clock)
        pump = RelayPump(tables, lanes, world.clock, allowance, dice=lambda: 1.0)
        relay = Relay(context, tables, allowance, pump.wake)
        yield Carrying(tables, pump, relay)

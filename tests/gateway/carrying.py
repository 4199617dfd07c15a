"""A relay of a world's gateway, whose pump is stepped by whoever asks it to carry something."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dtledger._backend.call_codec import encode_call
from dtledger._backend.queue_file import QueueFile
from dtledger._backend.quota_file import QuotaFile
from dtledger._backend.relay_tables import RelayTables, Standing
from dtledger.client import Client, Consents, Terms, Twins
from dtledger.client.carrying import Carrier, Denials
from dtledger.client.guardians import TwinGuardians
from dtledger.errors import UnreachableError
from dtledger.gateway.allowance import Allowance, RelayLimits
from dtledger.gateway.relay import Relay
from dtledger.gateway.relay_pump import RelayPump
from dtledger.ledger import Call, Receipt, Sender, Slot, calls
from dtledger.ledger.lanes import Fees
from dtledger.ledger.rejections import InsufficientFundsError, rejection
from dtledger.testing import World
from dtledger.testing.memory_key import MemoryKey
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose

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


@dataclass
class Stub:
    """A relay in this process, honest unless told otherwise."""

    relay: Carrying
    name: str = "relay"
    fault: str = ""
    held: list[Call] = field(default_factory=list)

    def send(self, call: Call) -> str:
        self.held.append(call)
        if self.fault == "silent":
            raise UnreachableError("the relay does not answer")
        if self.fault == "refuses":
            raise rejection("ConsentRegistry_StaleRevision", {"named": 1, "present": 2})
        if self.fault == "withholds":
            return "0x" + "ab" * 32
        return self.relay.carry(call.contract, encode_call(call)).transaction or ""

    def bring(self) -> Standing:
        """Send at last what was held back."""
        call = self.held[-1]
        return self.relay.carry(call.contract, encode_call(call))


@dataclass
class Bench:
    """`poor` is the patient, whose own account can send nothing."""

    world: World
    relays: list[Stub]
    carrier: Carrier
    poor: Client
    stack: ExitStack
    meanwhile: list[Callable[[], object]]
    """Done one after another while the patient's client waits."""

    def relay(self, limits: RelayLimits = USUAL) -> Carrying:
        return self.stack.enter_context(carrying_for(self.world, limits))

    @property
    def consents(self) -> Consents:
        return self.poor.consents

    def terms(self) -> Terms:
        now = self.world.clock.at
        return Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + 3600, Period(0, now // 60))


@contextmanager
def empty_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A world whose patient's account can send nothing, and two relays that carry for it."""
    with World(hours=1) as world, ExitStack() as stack:
        relays = [Stub(stack.enter_context(carrying_for(world)), f"relay {n}") for n in (1, 2)]
        time = [0.0]
        meanwhile: list[Callable[[], object]] = []

        def wait(seconds: float) -> None:
            time[0] += seconds
            if meanwhile:
                meanwhile.pop(0)()

        carrier = Carrier(relays, Denials(None), 1.0, wait, lambda: time[0])
        poor = Client(
            world.ledger, world.store, world.patient.context.custodians, world.patient.context.key, world.clock
        )
        poor.context = replace(poor.context, carry=carrier)
        poor.consents, poor.twins = Consents(poor.context), Twins(poor.context)
        poor.guardians = TwinGuardians(poor.context, poor.twins)
        send, patient = world.ledger.send, poor.address

        def send_if_rich(call: Call, sender: MemoryKey, *rest: object) -> Receipt:
            if sender.address == patient:
                raise InsufficientFundsError({})
            return send(call, sender, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(world.ledger, "send", send_if_rich)
        yield Bench(world, relays, carrier, poor, stack, meanwhile)


def revocation(slot: Slot) -> Call:
    return calls.revoke(slot.owner, slot.twin, slot.grantee, slot.number)

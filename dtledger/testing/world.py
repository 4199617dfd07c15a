"""A small world in memory: who is in it, and how it comes to be."""

from __future__ import annotations

import math
from typing import Self

from ..client import Client, Identity, Terms, make_card, writing_terms
from ..ledger import Slot
from ..readings import Reading
from ..types import Address, Period
from ..vocabulary import Action, Kind, Purpose
from .clock import NOON, Clock
from .custodians import WorldCustodian
from .memory_chain import MemoryChain
from .memory_contracts import ROLES
from .memory_key import MemoryKey
from .memory_ledger import MemoryLedger
from .memory_store import MemoryStore

DAY = 86_400


class World:
    """A patient with a twin, a clinician who may read it, and all that stands between them; no chain and no file.

    Everybody is a `Client`: `patient`; `clinician`, a member of `hospital`; `gateway`, which wrote `readings`;
    `operator`, who holds every role of governance. `custodians` are `threshold` of `len(custodians)`. The clinician's
    grant is `consent`: glucose, to treat, from the first reading on, for 30 days. `clock` moves by `advance(seconds)`.

    Faults: `custodians[i].fault`, `custodians[i].ledger` and `ledger` (`unreachable`, `other_chain`, `freeze()`), and
    `store` (`damage(cid)`, `remove([cid])`).

    Args:
        hours: of glucose readings, one every five minutes, the last of them a minute ago.
        custodians, threshold: how many there are, and how many a key needs.
    """

    def __init__(self, *, hours: int = 6, custodians: int = 3, threshold: int = 2) -> None:
        self.clock = Clock(NOON)
        self._clients: list[Client] = []
        self._names: dict[Address, str] = {}
        operator = MemoryKey("operator")
        chain = MemoryChain({role: [operator.address] for role in ROLES}, clock=self.clock)
        self.ledger = MemoryLedger(chain)
        self.store = MemoryStore()
        self._custodians: dict[Address, WorldCustodian] = {}
        for number in range(1, custodians + 1):
            key = MemoryKey(f"custodian-{number}")
            self._enrol(key, [Kind.CUSTODIAN])
            self._custodians[key.address] = WorldCustodian(key, self.ledger.node(), self.clock)

        self.operator = self.client(operator)
        self.patient = self.client(MemoryKey("patient"))
        self.hospital = self.join("hospital")
        self.clinician = self.join("clinician", [Kind.CLINICIAN], self.hospital)
        self.gateway = self.join("gateway", [Kind.GATEWAY])
        self.twin = self._mint(threshold)
        self.readings = glucose(self.clock.at - hours * 3600, hours * 12)
        self.consent = self._consent()

    def __repr__(self) -> str:
        return f"World(twin={self.twin}, at={self.clock.at}, block={self.ledger.chain.head.number})"

    @property
    def custodians(self) -> tuple[WorldCustodian, ...]:
        """In the order of the roster."""
        return tuple(self._custodians.values())

    def client(self, key: Identity) -> Client:
        """A client of this world, for a key of any kind; the world closes it."""
        client = Client(self.ledger, self.store, self._custodians, key, self.clock)
        self._clients.append(client)
        return client

    def join(self, name: str, kinds: list[Kind] | None = None, organisation: Client | None = None) -> Client:
        """A new member, enrolled with these kinds, of an organisation if one is given."""
        key = MemoryKey(name)
        self._enrol(key, kinds or [], organisation)
        return self.client(key)

    def succeed(self) -> NextDeployment:
        """A deployment that comes after this one, on the same chain, for twins to be carried over to."""
        roles = {role: [self.operator.address] for role in ("ADMIN", "MINTER")}
        ledger = MemoryLedger(self.ledger.chain.succeed(roles))
        custodians = {who: each.beside(ledger.node()) for who, each in self._custodians.items()}
        return NextDeployment(ledger, custodians, self._clients)

    def close(self) -> None:
        """Close every client of this world."""
        for client in self._clients:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _enrol(self, key: MemoryKey, kinds: list[Kind], organisation: Client | None = None) -> None:
        """As a founding member: a world begins with its members, whatever their kinds."""
        deployment = self.ledger.deployment
        if organisation is None:
            card, agreement = make_card(deployment, key, key.name, 0), b""
        else:
            address = organisation.address
            card = make_card(deployment, key, key.name, 0, address, self._names[address])
            agreement = organisation.members.agree(card)
        self._names[key.address] = key.name
        self.store.put(card.public_key, "raw")
        self.ledger.chain.enrol_founder(card.card, card.signature, agreement, sum(kind.mask for kind in kinds))

    def _mint(self, threshold: int) -> int:
        twin, _ = self.operator.twins.mint(self.patient.twins.request_mint())
        self.patient.twins.set_up(twin, list(self._custodians), threshold)
        return twin

    def _consent(self) -> Slot:
        """Let the gateway write and write the readings; let the clinician read."""
        now, first = self.clock.at, self.readings[0].minute
        consents = self.patient.consents
        consents.grant(self.twin, self.gateway.address, writing_terms(["glucose"], now, 30 * DAY, back_to=first))
        self.gateway.writer.put(self.twin, "glucose", self.readings)
        until = now + 30 * DAY
        data = Period(first, until // 60)
        terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, until, data)
        slot, _ = consents.grant(self.twin, self.clinician.address, terms)
        return slot


class NextDeployment:
    """The same people in the deployment that comes after a world's own, whose custodians serve both."""

    def __init__(self, ledger: MemoryLedger, custodians: dict[Address, WorldCustodian], clients: list[Client]) -> None:
        self.ledger = ledger
        self.custodians = tuple(custodians.values())
        self._ports = custodians
        self._clients = clients

    def client(self, of: Client) -> Client:
        """Somebody's client here; their world closes it."""
        context = of.context
        client = Client(self.ledger, context.store, self._ports, context.key, context.clock)
        self._clients.append(client)
        return client


def glucose(start: int, count: int) -> tuple[Reading, ...]:
    """`count` readings, one every five minutes, the first four minutes after `start` (unix seconds).

    A slow wave between 5 and 9 mmol/L, the same for everybody.
    """
    times = range(start + 240, start + 240 + count * 300, 300)
    return tuple(Reading(at, round(7 + 2 * math.sin(at / 3600), 1), "mmol/L", 0) for at in times)

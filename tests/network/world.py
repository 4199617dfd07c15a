"""The world of `dtledger.testing` on the network: its validators, its custodians over HTTP, its kubos."""

from __future__ import annotations

from dtledger._backend.kubo_store import KuboStore
from dtledger.client import Client
from dtledger.ledger import calls
from dtledger.testing import MemoryKey
from dtledger.testing.world import glucose
from dtledger.types import Address
from dtledger.vocabulary import Kind
from dtledger.vocabulary.rights import GUARDED_KINDS
from scripts.networking.processes import wait_until
from tests.audit.chain_world import ChainWorld
from tests.network.clock import Present
from tests.network.ground import Ground
from tests.network.ward import PATIENCE

HOUR = 3600


class NetworkWorld(ChainWorld):
    """A `World` whose ledger is validator 4, whose store is kubo 3, and whose custodians ask validators 1 to 3. They
    are somebody else's to stop, and go on from world to world; people and twin are new."""

    def __init__(self, ground: Ground, *, hours: int = 6) -> None:
        self._ground = ground
        context = ground.services.operator.context
        self.anvil = ground.network.devnet.anvil
        self.clock = Present()  # type: ignore[assignment]
        self._clients: list[Client] = []
        self._names: dict[Address, str] = {}
        self._custodians = dict(context.custodians)
        self.store = KuboStore(ground.network.kubo.address)  # type: ignore[assignment]
        self.ledger = ground.node(4)  # type: ignore[assignment]
        self.deployment = self.ledger.deployment
        self.operator = self.client(context.key)
        self.patient = self.client(ground.key("patient"))
        self.hospital = self.join("hospital")
        self.clinician = self.join("clinician", [Kind.CLINICIAN], self.hospital)
        self.gateway = self.join("gateway", [Kind.GATEWAY])
        self.twin = self._mint(2)
        self.readings = glucose(self.clock.at // HOUR * HOUR - hours * HOUR, hours * 12)
        self.consent = self._consent()

    def join(self, name: str, kinds: list[Kind] | None = None, organisation: Client | None = None) -> Client:
        key = self._ground.key(name)
        self._enrol(key, kinds or [], organisation)
        return self.client(key)

    def anchor_receipts(self) -> None:
        """Wait until every custodian has: each does so in its own time."""
        wait_until(self._anchored, PATIENCE, "A custodian anchors no receipts.")

    def _anchored(self) -> bool:
        told = [self.patient.twins.told(self.twin, each) for each in self._custodians]
        return all(
            proof is not None and (proof.leaf.twin, proof.leaf.count) == (self.twin, len(receipts))
            for proof, receipts in told
        )

    def _enrol(self, key: MemoryKey, kinds: list[Kind], organisation: Client | None = None) -> None:
        """As a founding member: what a steward adds waits for nothing on this network."""
        super()._enrol(key, [each for each in kinds if not each.mask & GUARDED_KINDS], organisation)
        guarded = sum(each.mask for each in kinds) & GUARDED_KINDS
        if guarded:
            self.ledger.send(calls.add_guarded_kinds(key.address, guarded), self.operator.context.key)

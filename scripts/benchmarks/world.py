"""A devnet with people on it: what every row that needs a chain shares.

The operator enrols and mints, `patient` owns a twin, `gateway` may write glucose and pulse waves to it and `clinician`
may read them. Everything is real, as `dtledger devnet up` makes it: Anvil, the contracts, three custodians in the
process with their receipts in files, of which two are needed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dtledger._backend.directory_store import DirectoryStore
from dtledger._backend.kubo_store import KuboStore
from dtledger.client import Client, Terms, writing_terms
from dtledger.client.devnet import OPERATOR, PROFILE, Devnet
from dtledger.client.opening import open_client
from dtledger.home import Home
from dtledger.ledger import Receipt, Slot
from dtledger.store import BlockStore
from dtledger.types import Period
from dtledger.vocabulary import Action, Kind, Purpose

DAY = 86_400
HISTORY = 400 * DAY
"""How far back grants reach, in seconds: over a year."""
THRESHOLD = 2
CATEGORIES = ("glucose", "ppg")


@dataclass(frozen=True, slots=True)
class World:
    """A running devnet whose blocks lie in a directory or, where `kubo` is its address, in kubo."""

    devnet: Devnet
    now: int
    stack: ExitStack
    operator: Client
    patient: Client
    gateway: Client
    clinician: Client
    twin: int
    consent: Slot
    kubo: str | None

    def newcomer(self, name: str) -> Client:
        """A client with a new key of that name; it is in no registry yet, and can pay."""
        return _client(self.devnet, self.stack, self.kubo, name)

    def mint(self, patient: Client) -> tuple[int, Receipt]:
        """A twin without a card, and what minting it cost."""
        return self.operator.twins.mint(patient.twins.request_mint())

    def terms(self) -> Terms:
        """What the clinician may do."""
        data = Period((self.now - HISTORY) // 60, (self.now + DAY) // 60)
        return Terms(CATEGORIES, (Purpose.TREAT,), (Action.READ,), self.now - DAY, self.now + DAY, data)

    def open_store(self) -> BlockStore:
        """The world's block store, for a rival to use."""
        return self.stack.enter_context(KuboStore(self.kubo) if self.kubo else DirectoryStore(self.devnet.blocks))


@contextmanager
def devnet_world(kubo: str | None = None) -> Iterator[World]:
    """A world in a folder of its own; its chain ends with the block."""
    with tempfile.TemporaryDirectory(prefix="dtledger-bench-") as folder, ExitStack() as stack:
        devnet = Devnet(Home(Path(folder) / "home", "bench"))
        stack.callback(devnet.down)
        devnet.up(lambda blocks: KuboStore(kubo) if kubo else DirectoryStore(blocks))
        operator, patient, gateway, clinician = (
            _client(devnet, stack, kubo, name) for name in (OPERATOR, "patient", "gateway", "clinician")
        )
        for member, name, kind in ((gateway, "gateway", Kind.GATEWAY), (clinician, "clinician", Kind.CLINICIAN)):
            operator.members.enrol(member.members.card(name), [kind])
        twin, _ = operator.twins.mint(patient.twins.request_mint())
        patient.twins.set_up(twin, list(patient.context.custodians), THRESHOLD)
        now = int(time.time())
        writing = writing_terms(CATEGORIES, now, DAY, back_to=(now - HISTORY) // 60)
        patient.consents.grant(twin, gateway.address, writing)
        consent = Slot(patient.address, twin, clinician.address, 0)
        world = World(devnet, now, stack, operator, patient, gateway, clinician, twin, consent, kubo)
        patient.consents.grant(twin, clinician.address, world.terms(), consent.number)
        yield world


def _client(devnet: Devnet, stack: ExitStack, kubo: str | None, name: str) -> Client:
    devnet.anvil.fund(devnet.key(name).address)
    client = open_client(PROFILE, name, home=devnet.home, options={"store": kubo} if kubo else {})
    return stack.enter_context(client)

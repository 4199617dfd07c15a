"""A devnet with people on it: what every row that needs a chain shares.

The operator enrols and mints; the patient's twins are written by the gateway and read by the clinician. Everything is
real: Anvil, the contracts, three custodians as services over HTTP, each a process with files of its own, of which two
are needed. Their limits are set so high that nothing measured here passes one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dtledger._backend.anvil import Anvil
from dtledger._backend.directory_store import DirectoryStore
from dtledger._backend.foundry import install_devnet
from dtledger._backend.kubo_store import KuboStore
from dtledger.client import Client, Terms, writing_terms
from dtledger.client.devnet import OPERATOR, Devnet
from dtledger.client.opening import open_client
from dtledger.home import Home
from dtledger.ledger import Slot
from dtledger.service.local import LocalCustodian
from dtledger.store import BlockStore
from dtledger.types import Period
from dtledger.vocabulary import Action, Kind, Purpose

DAY = 86_400
HISTORY = 420 * DAY
"""How far back grants reach, in seconds: over 10,000 hours."""
THRESHOLD = 2
CATEGORIES = ("glucose", "ppg")
NO_LIMITS = {
    "spare_snapshots_a_day": 10**9,
    "most_snapshots_a_day": 10**9,
    "receipts_a_minute": 10**6,
    "refused_a_day": 10**9,
    "asked_a_day": 10**9,
    "snapshots_at_once": 10**9,
}


@dataclass(frozen=True, slots=True)
class World:
    """A running devnet whose blocks lie in a directory or, where `kubo` is its address, in kubo."""

    devnet: Devnet
    custodians: Sequence[LocalCustodian]
    stack: ExitStack
    kubo: str | None
    now: int
    operator: Client
    patient: Client
    gateway: Client
    clinician: Client

    def twin(self) -> Slot:
        """A new twin of the patient that the gateway may write to; the slot of the clinician's grant to read it."""
        patient = self.patient
        twin, _ = self.operator.twins.mint(patient.twins.request_mint())
        patient.twins.set_up(twin, list(patient.context.custodians), THRESHOLD)
        # from yesterday on: the clock of a chain on a busy machine may be some seconds behind ours
        writing = writing_terms(CATEGORIES, self.now - DAY, 2 * DAY, back_to=(self.now - HISTORY) // 60)
        patient.consents.grant(twin, self.gateway.address, writing)
        return patient.consents.grant(twin, self.clinician.address, self.terms())[0]

    def terms(self) -> Terms:
        """What the clinician may do."""
        data = Period((self.now - HISTORY) // 60, (self.now + DAY) // 60)
        return Terms(CATEGORIES, (Purpose.TREAT,), (Action.READ,), self.now - DAY, self.now + DAY, data)

    def newcomer(self, name: str) -> Client:
        """A client with a new key of that name; it is in no registry yet, and can pay."""
        return _client(self.devnet, self.stack, self.kubo, name)

    def open_store(self) -> BlockStore:
        """The world's block store, for a rival to use."""
        store: BlockStore = KuboStore(self.kubo) if self.kubo else DirectoryStore(self.devnet.blocks)
        return self.stack.enter_context(store)


@contextmanager
def devnet_world(kubo: str | None = None) -> Iterator[World]:
    """A world in a folder of its own; its chain ends with the block."""
    with tempfile.TemporaryDirectory(prefix="dtledger-bench-") as folder, ExitStack() as stack:
        devnet = Devnet(Home(Path(folder) / "home", "bench"))
        stack.callback(devnet.down)
        custodians = [LocalCustodian(Path(folder) / f"custodian-{number}") for number in (1, 2, 3)]
        install_devnet(lambda text: None)
        # it would write its whole state, 128 old ones with it, every five seconds of what is measured
        url = Anvil(devnet.anvil.folder, state_interval=86_400).start().url
        devnet.up(
            lambda blocks: KuboStore(kubo) if kubo else DirectoryStore(blocks),
            custodians=[each.prepare(url, **NO_LIMITS) for each in custodians],
            profile={"custodians": ",".join(each.url for each in custodians)},
        )
        (deployment,) = devnet.home.deployments.glob("*.json")
        for each in custodians:
            stack.callback(each.stop)
            each.start(deployment)
        for each in custodians:
            each.wait()
        yield peopled(devnet, custodians, stack, kubo)


def peopled(devnet: Devnet, custodians: Sequence[LocalCustodian], stack: ExitStack, kubo: str | None) -> World:
    """The world of a chain that is up, with people on it."""
    names = (OPERATOR, "patient", "gateway", "clinician")
    devnet.pay([devnet.key(name).address for name in names])
    operator, patient, gateway, clinician = (_client(devnet, stack, kubo, name) for name in names)
    for member, name, kind in ((gateway, "gateway", Kind.GATEWAY), (clinician, "clinician", Kind.CLINICIAN)):
        if operator.context.view().member(member.address) is None:
            operator.members.enrol(member.members.card(name), [kind])
    return World(devnet, custodians, stack, kubo, int(time.time()), operator, patient, gateway, clinician)


def _client(devnet: Devnet, stack: ExitStack, kubo: str | None, name: str) -> Client:
    devnet.pay([devnet.key(name).address])
    return stack.enter_context(open_client(devnet.profile, name, home=devnet.home, options=options(devnet, kubo)))


def options(devnet: Devnet, kubo: str | None) -> dict[str, str]:
    """What a client is told, so that nothing in the environment leads elsewhere."""
    return {
        "rpc_url": devnet.anvil.url,
        "store": kubo or f"directory:{devnet.blocks}",
        "password_file": str(devnet.password_file),
    }
